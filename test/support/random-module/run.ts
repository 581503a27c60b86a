import { filled, METER_EXPORT, type MeterGlobal } from "../../../src/sandbox/metering/meter.ts";
import { compiled } from "../metered.ts";

/** What a module did: results or traps of its calls, what it told the host, and its memory in the end. */
export interface Trace {
  readonly calls: readonly string[];
  readonly noted: readonly number[];
  readonly memory: Uint8Array;
}

/** The exports of a random module; those of a counted or instrumented one too. */
export interface RandomExports {
  readonly memory: WebAssembly.Memory;
  readonly guard: { value: number };
  readonly exact?: { value: bigint };
  readonly places?: { value: bigint };
  readonly [METER_EXPORT]?: MeterGlobal;
  dump(): void;
}

const FUEL = 2 ** 40;
/** More than any random module takes: its guard bounds how deep it calls. */
export const STACK = 131_072;

/** An instance, and the way to call it. */
export class Subject {
  readonly exports: RandomExports;
  readonly noted: number[] = [];

  constructor(bytes: Uint8Array) {
    const note = (value: number): number => (this.noted.push(value), value ^ 85);
    const { exports } = new WebAssembly.Instance(compiled(bytes), { env: { note } });
    this.exports = exports as unknown as RandomExports;
    this.fill(FUEL);
  }

  fill(fuel: number): void {
    const meter = this.exports[METER_EXPORT];
    if (meter !== undefined) meter.value = filled(fuel, STACK);
  }

  /** Calls a function; what its module may do is bounded by its guard, which is set anew. */
  call(name: string, argument: number): string {
    this.exports.guard.value = 150;
    const called = (this.exports as unknown as Record<string, (a: number, b: bigint) => number>)[name];
    try {
      return `${called?.(argument, BigInt(argument) << 20n)}`;
    } catch (error) {
      if (!(error instanceof WebAssembly.RuntimeError)) throw error;
      return error.message;
    }
  }

  /** All calls, and the state after them. */
  trace(calls: readonly string[], argument: number): Trace {
    const results = calls.map((name) => this.call(name, argument));
    // What the exports of globals would show; fuel for it is not counted.
    this.fill(FUEL);
    this.exports.dump();
    return { calls: results, noted: this.noted, memory: new Uint8Array(this.exports.memory.buffer) };
  }
}

/** The first difference of two traces, or `undefined`. */
export function difference(a: Trace, b: Trace): string | undefined {
  for (const [i, call] of a.calls.entries()) if (call !== b.calls[i]) return `call ${i}: ${call} and ${b.calls[i]}`;
  if (a.noted.join() !== b.noted.join()) return "what the host was told";
  if (a.memory.length !== b.memory.length) return `${a.memory.length} and ${b.memory.length} bytes of memory`;
  if (Buffer.compare(a.memory, b.memory) === 0) return undefined;
  const at = a.memory.findIndex((byte, i) => byte !== b.memory[i]);
  return `memory at ${at}: ${hex(a.memory, at)} and ${hex(b.memory, at)}`;
}

function hex(bytes: Uint8Array, at: number): string {
  return Buffer.from(bytes.subarray(at & ~7, (at & ~7) + 16)).toString("hex");
}
