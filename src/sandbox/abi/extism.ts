import { moduleRefused } from "../errors.ts";
import { EXTISM_FUNCTIONS, EXTISM_INPUT, EXTISM_OUTPUT } from "../host/extism.ts";
import { Tab } from "../host/tab.ts";
import { WASI_FUNCTIONS } from "../host/wasi-table.ts";
import { Stop } from "../stop.ts";
import type { External } from "../wasm/module.ts";
import { EXTISM_ENV, ExtismEnv } from "./extism-env.ts";
import { ExtismSpace } from "./extism-space.ts";
import { checkImports } from "./face.ts";
import { RowCollector, RowTexts } from "./json-rows.ts";
import { type AbiAdapter, type AbiFace, blockOf, type Exports } from "./port.ts";
import { checkEnd } from "./wasi.ts";
import { checkWasiMemory, wasiBeside } from "./wasi-beside.ts";
import type { WasiFunctions } from "./wasi-functions.ts";

const IMPORTS = { ...EXTISM_FUNCTIONS, ...WASI_FUNCTIONS };
/** What a plugin may be called through, in the forms that PDKs export: with a return code, or without. */
const SIGNATURES = ["()->i32", "()->()"];
/** Exports that set a plugin up, of which the first that there is runs once an instance. */
const INITIALISERS = ["_initialize", "__wasm_call_ctors"];
/** Exports that are a whole program's, and no function of a plugin. */
const PROGRAMS = ["_start", "main", "__main_argc_argv", "__main_void", "hs_init", ...INITIALISERS];

/**
 * Extism plugins (docs/reference/extism.md): an exported function is called once a row, with the row as a JSON object for its
 * input; its output is an object, a list of objects, or nothing. An instance serves the rows of one call.
 */
export const extismAbi: AbiAdapter = {
  check(face) {
    checkImports(face, IMPORTS);
    checkWasiMemory(face);
    entryOf(face);
  },

  settle: (face) => ({ ...face.options, entry: entryOf(face) }),

  version: () => 1,

  call(host, work) {
    const texts = new RowTexts(blockOf(work));
    const tab = new Tab(host);
    const collector = new RowCollector(work, tab);
    if (texts.rows === 0) return collector.take();
    const env = new ExtismEnv(host, tab, new ExtismSpace(host.memoryBytesMax));
    env.begin(new Uint8Array(0));
    const wasi = wasiBeside(host, work, texts.schema);
    const exports = inside(wasi, () => setUp(host.instantiate({ [EXTISM_ENV]: env.imports(), ...wasi.imports() })));
    const entry = exports[host.options.entry ?? ""] as () => unknown; // found when the module was checked
    try {
      for (let row = 0; row < texts.rows; row++) {
        const input = texts.at(row);
        tab.note(EXTISM_INPUT, input.length);
        env.begin(input);
        const output = env.end(inside(wasi, entry));
        tab.note(EXTISM_OUTPUT, output.length);
        collector.addRows(output, `row ${row} of the call`);
      }
    } finally {
      wasi.errors.end();
    }
    tab.settle();
    return collector.take();
  },
};

/** Runs code of the plugin. Ending itself is a failure, whatever the exit code: its stack is left as it was, and more rows may follow. */
function inside<T>(wasi: WasiFunctions, work: () => T): T {
  try {
    return work();
  } catch (error) {
    checkEnd(error, wasi);
    throw new Stop("trap", "it ended itself with exit code 0, where it only had to return");
  }
}

function setUp(exports: Exports): Exports {
  const name = INITIALISERS.find((candidate) => typeof exports[candidate] === "function");
  if (name !== undefined) (exports[name] as () => void)();
  return exports;
}

/** The name of the function that is called. Throws `MODULE_EXPORT_MISSING` where there is none, or more than one to choose from. */
function entryOf({ shape, cid, options }: AbiFace): string {
  const { entry } = options;
  if (entry === null) {
    const fitting = shape.exports.filter((found) => found.signature === SIGNATURES[0] && isEntry(found));
    const [only] = fitting;
    if (only !== undefined && fitting.length === 1) return only.name;
    if (only !== undefined) {
      const names = fitting.slice(0, 8).map(({ name }) => name);
      const more = fitting.length > names.length ? `, and ${fitting.length - names.length} more` : "";
      const what = `exports ${fitting.length} functions that could be called for a row: ${names.join(", ")}${more}`;
      throw moduleRefused("MODULE_EXPORT_MISSING", cid, what, `name one of them: export: ${only.name}`);
    }
    throw moduleRefused(
      "MODULE_EXPORT_MISSING",
      cid,
      `exports no function ${SIGNATURES[0]} to be called for a row`,
      "a plugin exports its functions without parameters, with a return code; one without the code has to be named: export: <name>",
    );
  }
  const found = shape.exports.find(({ name }) => name === entry);
  if (found !== undefined && SIGNATURES.includes(found.signature ?? "") && isEntry(found)) return entry;
  const what =
    found === undefined ? `does not export ${entry}` : `exports ${entry} as ${found.signature ?? found.kind}`;
  throw moduleRefused("MODULE_EXPORT_MISSING", cid, `${what}; a row needs ${SIGNATURES.join(" or ")}`, hintOf(entry));
}

function hintOf(entry: string): string {
  return PROGRAMS.includes(entry)
    ? `${entry} belongs to a whole program: programs are called under abi: wasi/1`
    : "docs/reference/extism.md says what a plugin exports";
}

function isEntry({ name }: External): boolean {
  return !PROGRAMS.includes(name);
}
