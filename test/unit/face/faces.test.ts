import { readFile } from "node:fs/promises";
import { isBuiltin } from "node:module";
import { join, posix, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { readTree } from "../../../tools/import-directions.ts";
import { importStatements } from "../../../tools/import-statements.ts";

const ROOT = resolve(import.meta.dirname, "../../..");

/** Names that a program may rely on: taking one away is a breaking change. */
const FACES: Readonly<Record<string, readonly string[]>> = {
  ".": [
    ...[
      "runConfig",
      "verifyReceiptFile",
      "replayReceiptFile",
      "openStream",
      "openSource",
      "openSink",
      "IpdmError",
      "hasCode",
      "EXIT_CODES",
      "createRuntime",
      "durable",
    ],
    ...["Batch", "BatchWriter", "decodeBatch", "rowValues", "schemaOf", "valueAt", "isBatch", "drain", "source"],
    ...[
      "aggregate",
      "count",
      "eventTime",
      "filterRows",
      "keyBy",
      "mapBatch",
      "max",
      "mean",
      "min",
      "select",
      "sum",
      "toRows",
      "tumble",
    ],
  ],
  "./actors": ["createRuntime", "durable", "DurableActor", "EventStream", "IpdmError", "hasCode", "Runtime"],
  "./streams": [
    ...[
      "aggregate",
      "eventTime",
      "keyBy",
      "source",
      "toRows",
      "tumble",
      "TumblingAggregate",
      "WindowAggregate",
      "col",
      "columns",
    ],
    ...[
      "filter",
      "project",
      "hop",
      "session",
      "union",
      "intervalJoin",
      "Checkpointer",
      "openSavepoint",
      "explain",
      "rowSource",
      "toArrow",
      "fromArrow",
      "diagnostics",
    ],
  ],
  "./replay": ["replayJournal", "replayReceiptFile", "verifyReceiptFile"],
  "./proofs": [
    "verifyReceipt",
    "verifyGroth16",
    "parseVerifyingKey",
    "sha256",
    "verifyEd25519",
    "merkleRoot",
    "inclusionProof",
    "verifyInclusion",
    "CHECKS",
  ],
  "./machines": ["MACHINES", "taskMachine", "domainMachine", "lakeMachine"],
  "./sandbox": ["openLane", "validateModule", "checkRowsProperty"],
  "./testing": ["Kernel", "MemoryHub", "MemoryScheduler", "MemoryStore", "quietLog", "sha256", "verifyEd25519"],
};

interface Manifest {
  readonly exports: Readonly<Record<string, string | { readonly types: string; readonly default: string }>>;
}

/** The source behind a built file. */
const sourceOf = (built: string): string => built.replace("./dist/", "./").replace(/\.js$/, ".ts");

describe("public faces", () => {
  it("are the ones of package.json, each with its names", async () => {
    const { exports } = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8")) as Manifest;
    const modules = Object.entries(exports).flatMap(([face, entry]) =>
      typeof entry === "string" ? [] : [{ face, entry }],
    );
    expect(modules.map(({ face }) => face)).toEqual(Object.keys(FACES));
    for (const { face, entry } of modules) {
      expect(entry.types, face).toBe(entry.default.replace(/\.js$/, ".d.ts"));
      const loaded = (await import(join(ROOT, sourceOf(entry.default)))) as Record<string, unknown>;
      for (const name of FACES[face] ?? []) expect(loaded[name], `${face} ${name}`).toBeDefined();
    }
  });

  it("need no Node.js where proofs are checked", async () => {
    const tree = await readTree(ROOT);
    const reached = new Set<string>();
    const open = ["proofs/index.ts"];
    for (let path = open.pop(); path !== undefined; path = open.pop()) {
      if (reached.has(path)) continue;
      reached.add(path);
      const loaded = importStatements(tree.get(path) ?? "").filter(({ kind }) => kind !== "type");
      for (const { specifier } of loaded) {
        expect(isBuiltin(specifier), `${path} imports ${specifier}`).toBe(false);
        if (specifier.startsWith(".")) open.push(posix.join(posix.dirname(path), specifier));
      }
    }
    expect(reached.size).toBeGreaterThan(20);
  });

  it("re-export by name and hold no logic", async () => {
    const { exports } = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8")) as Manifest;
    for (const entry of Object.values(exports)) {
      if (typeof entry === "string") continue;
      const text = await readFile(join(ROOT, sourceOf(entry.default)), "utf8");
      const rest = text.replace(/\/\*\*[\s\S]*?\*\//g, "").replace(/export (type )?\{[^}]*\} from "[^"]+";/g, "");
      expect(rest.trim(), entry.default).toBe("");
    }
  });
});
