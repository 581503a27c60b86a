import { readFile } from "node:fs/promises";
import { IpdmError } from "../../src/core/errors.ts";
import { instrument } from "../../src/sandbox/metering/instrument.ts";
import { validateModule } from "../../src/sandbox/validate.ts";
import { BinaryError } from "../../src/sandbox/wasm/binary.ts";
import { OPTIONS } from "./metered.ts";
import { Dice } from "./random-module/dice.ts";
import { randomModule } from "./random-module/module.ts";
import { specOf, watBytes, watSource } from "./wat-module.ts";

/** Milliseconds in which a mutant of some kilobytes has to be judged, on a machine that does much besides. */
const DEADLINE_MS = 2000;

/** Modules to begin with: a real one, one of the ABI by hand, random ones. */
export async function seedModules(): Promise<Uint8Array[]> {
  const late = await readFile(new URL("../../examples/flights/late.wasm", import.meta.url));
  const fields = `(table $t 4 funcref) (elem $t (i32.const 0) func $abi) (elem $p func $alloc) (data $d "abc") (func $begin) (start $begin)
    (func (param f32 f64) (result f64) (block (result f64) (br_table 0 0 (f64.promote_f32 (local.get 0)) (i32.const 1))))
    (func (result i32 i64) (i32.const 1) (i64.const 2)) (global (mut v128) (v128.const i32x4 1 2 3 4))`;
  const wat = await watBytes(watSource({ fields }));
  const random = [1, 2, 3, 4].map((seed) => randomModule({ seed, size: 30, tailCalls: seed === 4 }).raw);
  return [new Uint8Array(late), wat, ...random];
}

/** A module with one change, or up to four. */
export function mutant(origin: Uint8Array, dice: Dice): Uint8Array<ArrayBuffer> {
  let bytes = Uint8Array.from(origin);
  for (let changes = dice.oneIn(3) ? 1 + dice.below(4) : 1; changes > 0; changes--) bytes = changed(bytes, dice);
  return bytes;
}

function changed(bytes: Uint8Array<ArrayBuffer>, dice: Dice): Uint8Array<ArrayBuffer> {
  // The header stays mostly: without it there is nothing to decode.
  const at = dice.oneIn(50) ? dice.below(bytes.length) : 8 + dice.below(bytes.length - 8);
  const spliced = (remove: number, ...insert: number[]): Uint8Array<ArrayBuffer> =>
    Uint8Array.from([...bytes.subarray(0, at), ...insert, ...bytes.subarray(at + remove)]);
  switch (dice.below(9)) {
    case 0:
      return spliced(1, (bytes[at] ?? 0) ^ (1 << dice.below(8)));
    case 1:
      return spliced(1, dice.below(256));
    case 2:
      return spliced(1, dice.pick([0x00, 0x0b, 0x40, 0x41, 0x7f, 0x80, 0xfb, 0xfc, 0xfd, 0xfe, 0xff]));
    case 3:
      return spliced(1, (bytes[at] ?? 0) + (dice.oneIn(2) ? 1 : 255));
    case 4:
      return spliced(0, dice.below(256));
    case 5:
      return spliced(1 + dice.below(4));
    case 6: {
      const from = dice.below(bytes.length);
      return spliced(0, ...bytes.subarray(from, from + 1 + dice.below(16)));
    }
    case 7:
      // The same number in more bytes, or one that is none.
      return spliced(1, (bytes[at] ?? 0) | 0x80, ...Array.from({ length: dice.below(6) }, () => 0x80), dice.below(2));
    default:
      return spliced(1, 0xff, 0xff, 0xff, 0xff, 0x0f);
  }
}

/** What became of mutants. */
export interface Tally {
  valid: number;
  accepted: number;
}

/** Judges mutants from a seed, as many as told. Throws where decoder, instrumenter or engine disagree as they must not. */
export function judge(origins: readonly Uint8Array[], seed: number, count: number): Tally {
  const tally: Tally = { valid: 0, accepted: 0 };
  for (let i = 0; i < count; i++) {
    const dice = new Dice(seed + i);
    const bytes = mutant(dice.pick(origins), dice);
    const begun = performance.now();
    const problem = judgeOne(bytes, tally);
    const took = performance.now() - begun;
    if (problem !== undefined || took > DEADLINE_MS)
      throw new Error(`mutant ${seed + i}: ${problem ?? `judged in ${took} ms`} ${Buffer.from(bytes).toString("hex")}`);
  }
  return tally;
}

function judgeOne(bytes: Uint8Array<ArrayBuffer>, tally: Tally): string | undefined {
  const isValid = WebAssembly.validate(bytes);
  if (isValid) tally.valid++;
  let out: Uint8Array<ArrayBuffer> | undefined;
  try {
    out = instrument(bytes, { ...OPTIONS, tailCalls: true }).bytes;
  } catch (error) {
    if (!(error instanceof BinaryError)) return `the instrumenter threw ${String(error)}`;
  }
  if (isValid && out !== undefined) {
    tally.accepted++;
    if (!WebAssembly.validate(out)) return "the instrumented module is not valid";
    new WebAssembly.Module(out);
  }
  try {
    validateModule(specOf(bytes, { memoryBytesMax: 2 ** 32 }));
    if (!isValid) return "a module was accepted that the engine refuses";
  } catch (error) {
    if (!(error instanceof IpdmError)) return `validation threw ${String(error)}`;
  }
  return undefined;
}
