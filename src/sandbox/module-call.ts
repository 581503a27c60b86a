import { HEADER, HEADER_BYTES, MAGIC } from "../batch/format.ts";
import type { Outcome, Work } from "./lane-messages.ts";
import { MESSAGE_CHARACTERS_MAX, PAGE_BYTES } from "./limits.ts";

/** The exports of a module, as its validation has found them to be. */
interface Exports {
  readonly memory: WebAssembly.Memory;
  readonly ipdm_abi: () => number;
  readonly ipdm_alloc: (bytes: number) => number;
  readonly ipdm_process: (batch: number, descriptor: number) => number;
}

/** Stops a call for a reason that the host found; `type` is that of the outcome. */
class Stop extends Error {
  readonly type: "trap" | "memory" | "output-invalid";

  constructor(type: "trap" | "memory" | "output-invalid", message: string) {
    super(message);
    this.type = type;
  }
}

/**
 * Runs one call in a fresh instance, so that it starts from the module's initial memory, globals and tables. Whatever the
 * module does ends in an outcome, except not ending at all.
 */
export function runCall(code: WebAssembly.Module, memoryBytesMax: number, work: Work): Outcome {
  let memory: WebAssembly.Memory | undefined;
  try {
    const imports = {
      env: {
        abort: (message: number, file: number, line: number, column: number) =>
          abort(memory, message, file, line, column),
      },
    };
    // The exports were checked by name, kind and signature when the module was validated.
    const exports = new WebAssembly.Instance(code, imports).exports as unknown as Exports;
    memory = exports.memory;
    if (work.type === "abi") return { type: "abi", version: exports.ipdm_abi() };
    return { type: "output", bytes: process(exports, work) };
  } catch (error) {
    return outcomeOf(error, memory, memoryBytesMax);
  }
}

function process(exports: Exports, work: Work & { readonly type: "process" }): ArrayBuffer {
  const { memory } = exports;
  const batch = place(exports, work.batch);
  const descriptor = place(exports, work.descriptor);
  const output = exports.ipdm_process(batch, descriptor) >>> 0;
  if (output === 0) throw new Stop("trap", "ipdm_process reported a failure (it returned 0)");
  const sizeBytes = memory.buffer.byteLength;
  if (output + HEADER_BYTES > sizeBytes)
    throw new Stop("output-invalid", `the output at ${output} lies outside the memory of ${sizeBytes} bytes`);
  const header = new DataView(memory.buffer, output, HEADER_BYTES);
  if (header.getUint32(HEADER.magic, true) !== MAGIC) throw new Stop("output-invalid", "the output is no batch block");
  const length = header.getUint32(HEADER.length, true);
  if (output + length > sizeBytes)
    throw new Stop(
      "output-invalid",
      `the output of ${length} bytes at ${output} ends outside the memory of ${sizeBytes} bytes`,
    );
  if (length > work.outputBytesMax)
    throw new Stop(
      "output-invalid",
      `the output has ${length} bytes, more than the ${work.outputBytesMax} this call may return`,
    );
  return memory.buffer.slice(output, output + length);
}

/** Copies bytes into memory that the module allocates. */
function place(exports: Exports, bytes: ArrayBuffer): number {
  const address = exports.ipdm_alloc(bytes.byteLength) >>> 0;
  if (address === 0) throw new Stop("memory", `ipdm_alloc found no room for ${bytes.byteLength} bytes`);
  const sizeBytes = exports.memory.buffer.byteLength;
  if (address % 64 !== 0 || address + bytes.byteLength > sizeBytes) {
    throw new Stop(
      "trap",
      `ipdm_alloc returned ${address} for ${bytes.byteLength} bytes: not 64-byte aligned inside the memory of ${sizeBytes} bytes`,
    );
  }
  new Uint8Array(exports.memory.buffer, address, bytes.byteLength).set(new Uint8Array(bytes));
  return address;
}

function outcomeOf(error: unknown, memory: WebAssembly.Memory | undefined, memoryBytesMax: number): Outcome {
  if (error instanceof Stop) return { type: error.type, message: error.message };
  const message = error instanceof Error ? error.message : String(error);
  // V8 reports an overflown stack and memory it cannot get as RangeError, at a point that depends on the machine: never a result.
  if (!(error instanceof WebAssembly.RuntimeError)) return { type: "fault", message };
  const isFull = memory !== undefined && memory.buffer.byteLength + PAGE_BYTES > memoryBytesMax;
  return { type: isFull ? "memory" : "trap", message };
}

function abort(
  memory: WebAssembly.Memory | undefined,
  message: number,
  file: number,
  line: number,
  column: number,
): never {
  const text = textAt(memory, message >>> 0) ?? "aborted";
  const where = textAt(memory, file >>> 0);
  throw new Stop("trap", where === undefined ? text : `${text} (${where}:${line >>> 0}:${column >>> 0})`);
}

/** A text of AssemblyScript: UTF-16, its length in bytes stands in the four bytes before it. */
function textAt(memory: WebAssembly.Memory | undefined, address: number): string | undefined {
  if (memory === undefined || address < 4 || address > memory.buffer.byteLength) return undefined;
  const view = new DataView(memory.buffer);
  const length = Math.min(
    view.getUint32(address - 4, true),
    2 * MESSAGE_CHARACTERS_MAX,
    memory.buffer.byteLength - address,
  );
  let text = "";
  for (let at = address; at + 1 < address + length; at += 2) text += String.fromCharCode(view.getUint16(at, true));
  return text.replaceAll(/\p{Cc}/gu, " ").toWellFormed();
}
