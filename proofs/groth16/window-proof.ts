import { poseidon5 } from "poseidon-lite/poseidon5";
import { poseidon16 } from "poseidon-lite/poseidon16";
import { type CircuitEntry, WINDOW_128X32 } from "../../circuits/manifest.ts";
import { assert, IpdmError } from "../../src/core/errors.ts";
import { elementOf, isElement, signedOf } from "./field.ts";

/** What is proved of a window, or of one chunk of it: signed integers, `count` at least 1. */
export interface WindowAggregate {
  readonly count: number;
  readonly sum: bigint;
  readonly min: number;
  readonly max: number;
}

/** The public inputs of a window proof, read: see circuits/README.md for what each means. */
export interface WindowClaim extends WindowAggregate {
  readonly context: bigint;
  readonly commitment: bigint;
}

/** A chunk of a window, ready for the prover: what only the prover sees, and what everyone will. */
export interface WindowChunk {
  readonly values: readonly bigint[];
  readonly salt: bigint;
  readonly claim: WindowClaim;
}

/** Values of a column, in row order. */
export type WindowValues = readonly number[] | readonly bigint[];

/** The circuit that proves windows. */
export const WINDOW_CIRCUIT: CircuitEntry = WINDOW_128X32;

const OFFSET = 1n << BigInt(WINDOW_CIRCUIT.valueBits - 1);
const LIMB_VALUES = Math.floor(253 / WINDOW_CIRCUIT.valueBits);
const LIMBS = Math.ceil(WINDOW_CIRCUIT.rowsMax / LIMB_VALUES);
const TAG = BigInt(WINDOW_CIRCUIT.rowsMax * 65536 + WINDOW_CIRCUIT.valueBits);

/** How many proofs a window of `rows` rows takes. */
export function chunkCount(rows: number): number {
  return Math.ceil(rows / WINDOW_CIRCUIT.rowsMax);
}

/**
 * A window's values in the pieces that are proved one by one: in row order, all full but the last. Throws
 * `PROOF_WINDOW_EMPTY` for no values and `PROOF_VALUE_OUT_OF_RANGE` for a value that the circuit cannot hold.
 */
export function chunkWindow(values: WindowValues): readonly (readonly bigint[])[] {
  if (values.length === 0)
    throw new IpdmError("PROOF_WINDOW_EMPTY", "a window without rows has no minimum and cannot be proved");
  const exact: bigint[] = [];
  for (const [row, value] of values.entries()) exact.push(inRange(value, row));
  return Array.from({ length: chunkCount(exact.length) }, (_, i) =>
    exact.slice(i * WINDOW_CIRCUIT.rowsMax, (i + 1) * WINDOW_CIRCUIT.rowsMax),
  );
}

/**
 * The Poseidon commitment of one chunk, as the circuit computes it: binds the values, their order, their number and the
 * salt. 1 to 128 signed 32-bit values; the salt is an element of the scalar field, and hides the values only if nobody
 * can guess it. Throws like {@link chunkWindow}, and `PROOF_CHUNK_TOO_LARGE`.
 */
export function commitWindowChunk(values: WindowValues, salt: bigint): bigint {
  assert(isElement(salt), "a salt is a canonical field element");
  const [chunk, more] = chunkWindow(values);
  if (chunk === undefined || more !== undefined) {
    throw new IpdmError(
      "PROOF_CHUNK_TOO_LARGE",
      `one proof covers at most ${WINDOW_CIRCUIT.rowsMax} rows, not ${values.length}`,
    );
  }
  const limbs: bigint[] = new Array<bigint>(LIMBS).fill(0n);
  chunk.forEach((value, i) => {
    const limb = Math.floor(i / LIMB_VALUES);
    const shift = BigInt(WINDOW_CIRCUIT.valueBits * (i % LIMB_VALUES));
    limbs[limb] = (limbs[limb] as bigint) + ((value + OFFSET) << shift);
  });
  const folded: bigint[] = [];
  for (let i = 0; i < LIMBS; i += 16) {
    const group = limbs.slice(i, i + 16);
    folded.push(poseidon16([...group, ...new Array<bigint>(16 - group.length).fill(0n)]));
  }
  // 128 values are 19 limbs, folded once to 2: with tag, count and salt 5 elements.
  return poseidon5([TAG, BigInt(chunk.length), salt, ...folded]);
}

/** Everything about one chunk that the prover needs. `context` is from `contextOf`. Throws like {@link commitWindowChunk}. */
export function windowChunk(values: WindowValues, salt: bigint, context: bigint): WindowChunk {
  assert(isElement(context), "a context is a canonical field element");
  const commitment = commitWindowChunk(values, salt);
  const exact = Array.from(values, (value: number | bigint) => BigInt(value));
  return { values: exact, salt, claim: { context, commitment, ...aggregateOf(exact) } };
}

/** Public inputs in circuit order: context, commitment, count, sum, min, max. */
export function publicInputsOf(claim: WindowClaim): readonly bigint[] {
  const { context, commitment, count, sum, min, max } = claim;
  return [context, commitment, BigInt(count), elementOf(sum), elementOf(BigInt(min)), elementOf(BigInt(max))];
}

/**
 * Reads public inputs that came from outside: `undefined` unless there are six canonical elements, with 1 <= count <= 128,
 * min <= max in the range of values and count·min <= sum <= count·max. (A valid proof implies all that.)
 */
export function claimOf(publicInputs: readonly bigint[]): WindowClaim | undefined {
  if (publicInputs.length !== WINDOW_CIRCUIT.publicInputs.length || !publicInputs.every(isElement)) return undefined;
  const [context, commitment, count, ...signed] = publicInputs as readonly [
    bigint,
    bigint,
    bigint,
    bigint,
    bigint,
    bigint,
  ];
  const [sum, min, max] = signed.map(signedOf) as [bigint, bigint, bigint];
  if (count < 1n || count > BigInt(WINDOW_CIRCUIT.rowsMax)) return undefined;
  if (min < -OFFSET || max >= OFFSET || min > max || sum < count * min || sum > count * max) return undefined;
  return { context, commitment, count: Number(count), sum, min: Number(min), max: Number(max) };
}

/** The aggregate of a whole window from those of its chunks, at least one. */
export function combineChunks(chunks: readonly WindowAggregate[]): WindowAggregate {
  const [first] = chunks;
  assert(first !== undefined, "a window has at least one chunk");
  let { count, sum, min, max } = first;
  for (const chunk of chunks.slice(1)) {
    count += chunk.count;
    sum += chunk.sum;
    min = Math.min(min, chunk.min);
    max = Math.max(max, chunk.max);
  }
  return { count, sum, min, max };
}

function aggregateOf(values: readonly bigint[]): WindowAggregate {
  const single = (value: bigint): WindowAggregate => ({ count: 1, sum: value, min: Number(value), max: Number(value) });
  return combineChunks(values.map(single));
}

function inRange(value: number | bigint, row: number): bigint {
  if (typeof value === "bigint" || Number.isInteger(value)) {
    const exact = BigInt(value);
    if (exact >= -OFFSET && exact < OFFSET) return exact;
  }
  throw new IpdmError(
    "PROOF_VALUE_OUT_OF_RANGE",
    `row ${row} of the window holds ${value}, which is no signed ${WINDOW_CIRCUIT.valueBits}-bit integer`,
    {
      hint: "prove a column of integers in this range, or scale the values in the module; proofs never round or cut",
      facts: { row, value: String(value) },
    },
  );
}
