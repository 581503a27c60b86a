import { poseidon5 } from "poseidon-lite/poseidon5";
import { poseidon16 } from "poseidon-lite/poseidon16";
import { type CircuitEntry, WINDOW_64X64, WINDOW_128X32 } from "../../circuits/manifest.ts";
import { assert, IpdmError } from "../../src/core/errors.ts";
import { elementOf, isElement, signedOf } from "./field.ts";

/** What is proved of a window, or of one chunk of it: signed integers, `count` at least 1. */
export interface WindowAggregate {
  readonly count: number;
  readonly sum: bigint;
  readonly min: bigint;
  readonly max: bigint;
}

/** The public inputs of a window proof, read: see circuits/README.md for what each means. */
export interface WindowClaim extends WindowAggregate {
  readonly context: bigint;
  readonly commitment: bigint;
}

/** A chunk of a window, ready for the prover: what only the prover sees, and what everyone will. */
export interface WindowChunk {
  readonly circuit: CircuitEntry;
  readonly values: readonly bigint[];
  readonly salt: bigint;
  readonly claim: WindowClaim;
}

/** Values of a column, in row order. */
export type WindowValues = readonly number[] | readonly bigint[];

/** The circuits that prove windows, the narrower first: it takes more rows in one proof. */
export const WINDOW_CIRCUITS: readonly [CircuitEntry, CircuitEntry] = [WINDOW_128X32, WINDOW_64X64];

/** A window's values in the pieces that are proved one by one: in row order, all full but the last. */
export interface WindowPieces {
  readonly circuit: CircuitEntry;
  readonly pieces: readonly (readonly bigint[])[];
}

/**
 * Cuts a window's values for the narrowest circuit that holds all of them, so that everybody who has them cuts alike. Throws
 * `PROOF_WINDOW_EMPTY` for no values and `PROOF_VALUE_OUT_OF_RANGE` for a value that no circuit can hold.
 */
export function chunkWindow(values: WindowValues): WindowPieces {
  if (values.length === 0)
    throw new IpdmError("PROOF_WINDOW_EMPTY", "a window without rows has no minimum and cannot be proved");
  const [narrow, wide] = WINDOW_CIRCUITS;
  const exact: bigint[] = [];
  let circuit = narrow;
  for (const [row, value] of values.entries()) {
    const whole = inRange(wide, value, row);
    if (!holds(narrow, whole)) circuit = wide;
    exact.push(whole);
  }
  const { rowsMax } = circuit;
  const pieces = Array.from({ length: Math.ceil(exact.length / rowsMax) }, (_, i) =>
    exact.slice(i * rowsMax, (i + 1) * rowsMax),
  );
  return { circuit, pieces };
}

/**
 * The Poseidon commitment of one chunk, as the circuit computes it: binds the values, their order, their number and the
 * salt. 1 to `rowsMax` values that the circuit holds; the salt is an element of the scalar field, and hides the values only if nobody
 * can guess it. Throws `PROOF_WINDOW_EMPTY`, `PROOF_VALUE_OUT_OF_RANGE` and `PROOF_CHUNK_TOO_LARGE`.
 */
export function commitWindowChunk(circuit: CircuitEntry, values: WindowValues, salt: bigint): bigint {
  assert(isElement(salt), "a salt is a canonical field element");
  const { rowsMax, valueBits } = circuit;
  if (values.length === 0) throw new IpdmError("PROOF_WINDOW_EMPTY", "no values are no chunk of a window");
  if (values.length > rowsMax) {
    throw new IpdmError("PROOF_CHUNK_TOO_LARGE", `one proof covers at most ${rowsMax} rows, not ${values.length}`);
  }
  const limbValues = Math.floor(253 / valueBits);
  const limbs: bigint[] = new Array<bigint>(Math.ceil(rowsMax / limbValues)).fill(0n);
  for (const [i, value] of values.entries()) {
    const limb = Math.floor(i / limbValues);
    const shift = BigInt(valueBits * (i % limbValues));
    limbs[limb] = (limbs[limb] as bigint) + ((inRange(circuit, value, i) + offsetOf(circuit)) << shift);
  }
  const folded: bigint[] = [];
  for (let i = 0; i < limbs.length; i += 16) {
    const group = limbs.slice(i, i + 16);
    folded.push(poseidon16([...group, ...new Array<bigint>(16 - group.length).fill(0n)]));
  }
  // 128 values of 32 bits are 19 limbs, 64 of 64 bits are 22; both are folded once to 2: with tag, count and salt 5 elements.
  return poseidon5([BigInt(rowsMax * 65536 + valueBits), BigInt(values.length), salt, ...folded]);
}

/** What a circuit adds to a value so that it is not negative. */
export function offsetOf({ valueBits }: CircuitEntry): bigint {
  return 1n << BigInt(valueBits - 1);
}

/** Everything about one chunk that the prover needs. `context` is from `contextOf`. Throws like {@link commitWindowChunk}. */
export function windowChunk(circuit: CircuitEntry, values: WindowValues, salt: bigint, context: bigint): WindowChunk {
  assert(isElement(context), "a context is a canonical field element");
  const commitment = commitWindowChunk(circuit, values, salt);
  const exact = Array.from(values, (value: number | bigint) => BigInt(value));
  return { circuit, values: exact, salt, claim: { context, commitment, ...aggregateOf(exact) } };
}

/** Public inputs in circuit order: context, commitment, count, sum, min, max. */
export function publicInputsOf(claim: WindowClaim): readonly bigint[] {
  const { context, commitment, count, sum, min, max } = claim;
  return [context, commitment, BigInt(count), elementOf(sum), elementOf(min), elementOf(max)];
}

/**
 * Reads public inputs that came from outside: `undefined` unless there are six canonical elements, with 1 <= count <= rowsMax,
 * min <= max in the range of the circuit's values and count·min <= sum <= count·max. (A valid proof implies all that.)
 */
export function claimOf(circuit: CircuitEntry, publicInputs: readonly bigint[]): WindowClaim | undefined {
  if (publicInputs.length !== circuit.publicInputs.length || !publicInputs.every(isElement)) return undefined;
  const [context, commitment, count, ...signed] = publicInputs as readonly [
    bigint,
    bigint,
    bigint,
    bigint,
    bigint,
    bigint,
  ];
  const [sum, min, max] = signed.map(signedOf) as [bigint, bigint, bigint];
  if (count < 1n || count > BigInt(circuit.rowsMax)) return undefined;
  if (!holds(circuit, min) || !holds(circuit, max) || min > max) return undefined;
  if (sum < count * min || sum > count * max) return undefined;
  return { context, commitment, count: Number(count), sum, min, max };
}

/** The aggregate of a whole window from those of its chunks, at least one. */
export function combineChunks(chunks: readonly WindowAggregate[]): WindowAggregate {
  const [first] = chunks;
  assert(first !== undefined, "a window has at least one chunk");
  let { count, sum, min, max } = first;
  for (const chunk of chunks.slice(1)) {
    count += chunk.count;
    sum += chunk.sum;
    if (chunk.min < min) min = chunk.min;
    if (chunk.max > max) max = chunk.max;
  }
  return { count, sum, min, max };
}

function aggregateOf(values: readonly bigint[]): WindowAggregate {
  const single = (value: bigint): WindowAggregate => ({ count: 1, sum: value, min: value, max: value });
  return combineChunks(values.map(single));
}

function holds(circuit: CircuitEntry, value: bigint): boolean {
  const offset = offsetOf(circuit);
  return value >= -offset && value < offset;
}

function inRange(circuit: CircuitEntry, value: number | bigint, row: number): bigint {
  if (typeof value === "bigint" || Number.isInteger(value)) {
    const exact = BigInt(value);
    if (holds(circuit, exact)) return exact;
  }
  throw new IpdmError(
    "PROOF_VALUE_OUT_OF_RANGE",
    `row ${row} of the window holds ${value}, which is no signed ${circuit.valueBits}-bit integer`,
    {
      hint: "prove a column of integers in this range, or scale the values in the module; proofs never round or cut",
      facts: { row, value: String(value) },
    },
  );
}
