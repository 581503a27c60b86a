import { HEADER, HEADER_BYTES, MAGIC } from "../../batch/format.ts";
import { DESCRIPTOR_BYTES, DESCRIPTOR_SEED, descriptorTime, SEED_BYTES } from "../descriptor.ts";
import { rowRandom } from "../host/random.ts";
import { signatureFunctions } from "../host/signature.ts";
import { HOST_FUNCTIONS } from "../host/table.ts";
import { FAIL_CODE, FAIL_MESSAGE_CHARACTERS_MAX, LOG_CHARACTERS_MAX, MESSAGE_CHARACTERS_MAX } from "../limits.ts";
import { Stop } from "../stop.ts";
import { checkExport, checkImports, checkMemory } from "./face.ts";
import { type AbiAdapter, type AbiHost, type AbiWork, blockOf, type KeptInstance } from "./port.ts";

/** Functions of the ABI `ipdm/1` and their signatures; `memory` stands beside them. */
export const ABI_EXPORTS = { ipdm_abi: "()->i32", ipdm_alloc: "(i32)->i32", ipdm_process: "(i32,i32)->i32" } as const;

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** The exports of a module, as its check has found them to be. */
interface IpdmExports {
  readonly ipdm_abi: () => number;
  readonly ipdm_alloc: (bytes: number) => number;
  readonly ipdm_process: (batch: number, descriptor: number) => number;
  readonly [CALL_END]?: () => void;
}

/** What a stateful module may export beside them: it is called when the output has been taken, to give up what was the call's. */
const CALL_END = "ipdm_end";

/** The descriptor of the call under way: host functions read it. */
interface CurrentCall {
  descriptor: DataView;
}

/** Modules of the ABI `ipdm/1` (docs/reference/abi.md): the batch block goes in as it is, and comes out as one. */
export const ipdmAbi: AbiAdapter = {
  check(face) {
    checkImports(face, HOST_FUNCTIONS);
    checkMemory(face);
    for (const [name, signature] of Object.entries(ABI_EXPORTS)) checkExport(face, name, signature);
    if (face.shape.exports.some(({ name }) => name === CALL_END)) checkExport(face, CALL_END, "()->()");
  },

  version(host) {
    return instance(host, { descriptor: new DataView(new ArrayBuffer(DESCRIPTOR_BYTES)) }).ipdm_abi();
  },

  call(host, work) {
    return process(host, instance(host, { descriptor: new DataView(work.descriptor) }), work);
  },

  keep(host, first): KeptInstance {
    const current: CurrentCall = { descriptor: new DataView(first.descriptor) };
    const exports = instance(host, current);
    return {
      call(work) {
        current.descriptor = new DataView(work.descriptor);
        const output = process(host, exports, work);
        exports[CALL_END]?.();
        return output;
      },
    };
  },
};

function instance(host: AbiHost, current: CurrentCall): IpdmExports {
  // The exports were checked by name, kind and signature when the module was loaded.
  return host.instantiate(imports(host, current)) as unknown as IpdmExports;
}

function process(host: AbiHost, exports: IpdmExports, work: AbiWork): ArrayBuffer {
  const batch = place(host, exports, blockOf(work));
  const descriptor = place(host, exports, new Uint8Array(work.descriptor));
  return takeOutput(host.memory, exports.ipdm_process(batch, descriptor) >>> 0, work);
}

function imports(host: AbiHost, current: CurrentCall): Record<string, Record<string, unknown>> {
  const pay = (name: string, bytes = 0): void => {
    const price = HOST_FUNCTIONS[name];
    host.charge((price?.fuel ?? 0) + (price?.fuelPerByte ?? 0) * bytes);
  };
  const { settings } = host.options;
  return {
    env: {
      abort: (message: number, file: number, line: number, column: number) => {
        pay("env.abort");
        abort(host.memory, message, file, line, column);
      },
    },
    ipdm: {
      log: (address: number, bytes: number) => {
        pay("ipdm.log", bytes >>> 0);
        const shown = Math.min(bytes >>> 0, 4 * LOG_CHARACTERS_MAX);
        host.log(new TextDecoder().decode(range(host, address, bytes).subarray(0, shown)));
      },
      random: (row: bigint, address: number, bytes: number) => {
        pay("ipdm.random", bytes >>> 0);
        const target = range(host, address, bytes);
        const seed = new Uint8Array(current.descriptor.buffer, DESCRIPTOR_SEED, SEED_BYTES);
        target.set(rowRandom(seed, row, target.length));
      },
      setting: (name: number, nameBytes: number, target: number, most: number) => {
        pay("ipdm.setting", nameBytes >>> 0);
        const key = decoder.decode(range(host, name, nameBytes));
        const text = Object.hasOwn(settings, key) ? settings[key] : undefined;
        if (text === undefined) return -1;
        const bytes = new TextEncoder().encode(text);
        const copied = bytes.subarray(0, Math.min(bytes.length, most >>> 0));
        pay("ipdm.setting", copied.length);
        range(host, target, copied.length).set(copied);
        return bytes.length;
      },
      fail: (code: number, codeBytes: number, message: number, messageBytes: number) => {
        pay("ipdm.fail", (codeBytes >>> 0) + (messageBytes >>> 0));
        throw failure(range(host, code, codeBytes), range(host, message, messageBytes));
      },
      ...signatureFunctions(pay, (address, bytes) => range(host, address, bytes)),
      time: () => {
        pay("ipdm.time");
        return descriptorTime(current.descriptor, "ipdm.time");
      },
    },
  };
}

/** What a module's own error is: its code as it is written in the text, its message cut and without control characters. */
function failure(code: Uint8Array, message: Uint8Array): Stop {
  const name = decoder.decode(code.subarray(0, MESSAGE_CHARACTERS_MAX));
  if (!FAIL_CODE.test(name)) return new Stop("trap", `ipdm.fail was given a code that is none: ${printable(name)}`);
  const text = decoder.decode(message.subarray(0, 4 * FAIL_MESSAGE_CHARACTERS_MAX));
  return new Stop("failed", printable(text.slice(0, FAIL_MESSAGE_CHARACTERS_MAX)), name);
}

function printable(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, " ").toWellFormed();
}

function range({ memory }: AbiHost, address: number, bytes: number): Uint8Array {
  const start = address >>> 0;
  const length = bytes >>> 0;
  if (start + length > memory.buffer.byteLength)
    throw new Stop("trap", `a host function was given ${length} bytes at ${start}, outside the memory`);
  return new Uint8Array(memory.buffer, start, length);
}

/** Copies bytes into memory that the module allocates. */
function place({ memory }: AbiHost, exports: IpdmExports, bytes: Uint8Array): number {
  const address = exports.ipdm_alloc(bytes.byteLength) >>> 0;
  if (address === 0) throw new Stop("memory", `ipdm_alloc found no room for ${bytes.byteLength} bytes`);
  const sizeBytes = memory.buffer.byteLength;
  if (address % 64 !== 0 || address + bytes.byteLength > sizeBytes) {
    throw new Stop(
      "trap",
      `ipdm_alloc returned ${address} for ${bytes.byteLength} bytes: not 64-byte aligned inside the memory of ${sizeBytes} bytes`,
    );
  }
  new Uint8Array(memory.buffer, address, bytes.byteLength).set(bytes);
  return address;
}

function takeOutput(memory: WebAssembly.Memory, output: number, { outputBytesMax }: AbiWork): ArrayBuffer {
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
  if (length > outputBytesMax)
    throw new Stop(
      "output-invalid",
      `the output has ${length} bytes, more than the ${outputBytesMax} this call may return`,
    );
  return memory.buffer.slice(output, output + length);
}

function abort(memory: WebAssembly.Memory, message: number, file: number, line: number, column: number): never {
  const text = textAt(memory, message >>> 0) ?? "aborted";
  const where = textAt(memory, file >>> 0);
  throw new Stop("trap", where === undefined ? text : `${text} (${where}:${line >>> 0}:${column >>> 0})`);
}

/** A text of AssemblyScript: UTF-16, its length in bytes stands in the four bytes before it. */
function textAt(memory: WebAssembly.Memory, address: number): string | undefined {
  if (address < 4 || address > memory.buffer.byteLength) return undefined;
  const view = new DataView(memory.buffer);
  const length = Math.min(
    view.getUint32(address - 4, true),
    2 * MESSAGE_CHARACTERS_MAX,
    memory.buffer.byteLength - address,
  );
  let text = "";
  for (let at = address; at + 1 < address + length; at += 2) text += String.fromCharCode(view.getUint16(at, true));
  return printable(text);
}
