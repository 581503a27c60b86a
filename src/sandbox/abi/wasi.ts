import { Batch, decodeBatch } from "../../batch/batch.ts";
import { readNdjson } from "../../batch/text/ndjson-text.ts";
import { CELL_FUEL } from "../host/cell.ts";
import { WASI_FUNCTIONS } from "../host/wasi-table.ts";
import { Stop } from "../stop.ts";
import { checkExport, checkImports, checkMemory } from "./face.ts";
import { type AbiAdapter, type AbiWork, blockOf } from "./port.ts";
import { ProgramExit, WasiFunctions } from "./wasi-functions.ts";

const LINE_FEED = 10;

/** The exports of a WASI command, as its check has found them to be. */
interface Command {
  readonly _start: () => void;
}

/** WASI preview1 commands as they are (docs/reference/wasi.md): the batch as text on standard input, the output's rows as NDJSON on standard output. */
export const wasiAbi: AbiAdapter = {
  check(face) {
    checkImports(face, WASI_FUNCTIONS);
    checkMemory(face);
    checkExport(face, "_start", "()->()");
  },

  version() {
    return 1;
  },

  call(host, work) {
    const { columns } = work;
    if (columns === null)
      throw new Stop("output-invalid", "its columns are not declared, and a program of wasi/1 cannot say them");
    const functions = new WasiFunctions(host, work, decodeBatch(blockOf(work)), work.stdin ?? "ndjson");
    try {
      // The exports were checked by name, kind and signature when the module was loaded.
      (host.instantiate(functions.imports()) as unknown as Command)._start();
    } catch (error) {
      checkEnd(error, functions);
    } finally {
      functions.errors.end();
    }
    const text = functions.output.bytes;
    host.charge(CELL_FUEL * linesOf(text) * columns.fields.length);
    return takeOutput(text, columns, work);
  },
};

/** A program may end itself, with exit code 0. Everything else that it was stopped by is thrown on, with its last words. */
export function checkEnd(error: unknown, { errors }: WasiFunctions): void {
  const { last } = errors;
  const words = last === "" ? "" : `; its last words: ${last}`;
  if (error instanceof ProgramExit) {
    if (error.exitCode !== 0) throw new Stop("trap", `it ended with exit code ${error.exitCode}${words}`);
    return;
  }
  // What a trap is told from is its class and the meter, so its message may say more.
  if (error instanceof WebAssembly.RuntimeError) error.message += words;
  throw error;
}

function linesOf(text: Uint8Array): number {
  let lines = 1;
  for (let at = text.indexOf(LINE_FEED); at !== -1; at = text.indexOf(LINE_FEED, at + 1)) lines++;
  return lines;
}

function takeOutput(
  text: Uint8Array<ArrayBuffer>,
  columns: NonNullable<AbiWork["columns"]>,
  work: AbiWork,
): ArrayBuffer {
  const read = readNdjson(text, columns, work.outputBytesMax);
  if (read instanceof Batch) return read.bytes.slice().buffer;
  throw new Stop("output-invalid", `line ${read.line} of its standard output: ${read.message}`);
}
