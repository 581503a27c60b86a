import { poseidon5 } from "poseidon-lite/poseidon5";
import { poseidon16 } from "poseidon-lite/poseidon16";
import { CIRCUITS, type CircuitEntry, WINDOW_128X32 } from "../../circuits/manifest.ts";
import { assert, IpdmError } from "../../src/core/errors.ts";
import { elementOf, isElement, signedOf } from "./field.ts";

/** What is proved of a window, or of one chunk of it: signed integers, `count` at least 1. */
export interface WindowAggregate {
  readonly count: number;
  readonly sum: bigint;
  /** Bigints beyond 2^53. */
  readonly min: number | bigint;
  readonly max: number | bigint;
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

/** The circuit that proves windows where nobody asks for another. */
export const WINDOW_CIRCUIT: CircuitEntry = WINDOW_128X32;

/** A circuit of this package by its name. */
export function circuitNamed(name: string): CircuitEntry | undefined {
  return CIRCUITS.find((circuit) => circuit.name === name);
}

const offsetOf = ({ valueBits }: CircuitEntry): bigint => 1n << BigInt(valueBits - 1);
const limbValuesOf = ({ valueBits }: CircuitEntry): number => Math.floor(253 / valueBits);

/** How many proofs a window of `rows` rows takes. */
export function chunkCount(rows: number, circuit: CircuitEntry = WINDOW_CIRCUIT): number {
  return Math.ceil(rows / circuit.rowsMax);
}

/**
 * A window's values in the pieces that are proved one by one: in row order, all full but the last. Throws
 * `PROOF_WINDOW_EMPTY` for no values and `PROOF_VALUE_OUT_OF_RANGE` for a value that the circuit cannot hold.
 */
export function chunkWindow(
  values: WindowValues,
  circuit: CircuitEntry = WINDOW_CIRCUIT,
): readonly (readonly bigint[])[] {
  if (values.length === 0)
    throw new IpdmError("PROOF_WINDOW_EMPTY", "a window without rows has no minimum and cannot be proved");
  const exact: bigint[] = [];
  for (const [row, value] of values.entries()) exact.push(inRange(value, row, circuit));
  return Array.from({ length: chunkCount(exact.length, circuit) }, (_, i) =>
    exact.slice(i * circuit.rowsMax, (i + 1) * circuit.rowsMax),
  );
}

/**
 * The Poseidon commitment of one chunk, as the circuit computes it: binds the values, their order, their number and the
 * salt. As many signed values as the circuit covers; the salt is an element of the scalar field, and hides the values only if nobody
 * can guess it. Throws like {@link chunkWindow}, and `PROOF_CHUNK_TOO_LARGE`.
 */
export function commitWindowChunk(values: WindowValues, salt: bigint, circuit: CircuitEntry = WINDOW_CIRCUIT): bigint {
  assert(isElement(salt), "a salt is a canonical field element");
  const { rowsMax, valueBits } = circuit;
  const [chunk, more] = chunkWindow(values, circuit);
  if (chunk === undefined || more !== undefined) {
    throw new IpdmError("PROOF_CHUNK_TOO_LARGE", `one proof covers at most ${rowsMax} rows, not ${values.length}`);
  }
  const limbValues = limbValuesOf(circuit);
  const limbCount = Math.ceil(rowsMax / limbValues);
  const limbs: bigint[] = new Array<bigint>(limbCount).fill(0n);
  chunk.forEach((value, i) => {
    const limb = Math.floor(i / limbValues);
    const shift = BigInt(valueBits * (i % limbValues));
    limbs[limb] = (limbs[limb] as bigint) + ((value + offsetOf(circuit)) << shift);
  });
  const folded: bigint[] = [];
  for (let i = 0; i < limbCount; i += 16) {
    const group = limbs.slice(i, i + 16);
    folded.push(poseidon16([...group, ...new Array<bigint>(16 - group.length).fill(0n)]));
  }
  // 128 values of 32 bits are 19 limbs, 64 of 64 bits 22: folded once to 2, with tag, count and salt 5 elements.
  return poseidon5([BigInt(rowsMax * 65536 + valueBits), BigInt(chunk.length), salt, ...folded]);
}

/** Everything about one chunk that the prover needs. `context` is from `contextOf`. Throws like {@link commitWindowChunk}. */
export function windowChunk(
  values: WindowValues,
  salt: bigint,
  context: bigint,
  circuit: CircuitEntry = WINDOW_CIRCUIT,
): WindowChunk {
  assert(isElement(context), "a context is a canonical field element");
  const commitment = commitWindowChunk(values, salt, circuit);
  const exact = Array.from(values, (value: number | bigint) => BigInt(value));
  return { circuit, values: exact, salt, claim: { context, commitment, ...aggregateOf(exact) } };
}

/** Public inputs in circuit order: context, commitment, count, sum, min, max. */
export function publicInputsOf(claim: WindowClaim): readonly bigint[] {
  const { context, commitment, count, sum, min, max } = claim;
  return [context, commitment, BigInt(count), elementOf(sum), elementOf(BigInt(min)), elementOf(BigInt(max))];
}

/**
 * Reads public inputs that came from outside: `undefined` unless there are six canonical elements, with 1 <= count and no more
 * than the circuit covers, min <= max in the range of values and count·min <= sum <= count·max. (A valid proof implies all that.)
 */
export function claimOf(
  publicInputs: readonly bigint[],
  circuit: CircuitEntry = WINDOW_CIRCUIT,
): WindowClaim | undefined {
  const offset = offsetOf(circuit);
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
  if (min < -offset || max >= offset || min > max || sum < count * min || sum > count * max) return undefined;
  return { context, commitment, count: Number(count), sum, min: plain(min), max: plain(max) };
}

/** The aggregate of a whole window from those of its chunks, at least one. */
export function combineChunks(chunks: readonly WindowAggregate[]): WindowAggregate {
  const [first] = chunks;
  assert(first !== undefined, "a window has at least one chunk");
  let { count, sum, min, max } = first;
  for (const chunk of chunks.slice(1)) {
    count += chunk.count;
    sum += chunk.sum;
    if (chunk.min < min) ({ min } = chunk);
    if (chunk.max > max) ({ max } = chunk);
  }
  return { count, sum, min, max };
}

function aggregateOf(values: readonly bigint[]): WindowAggregate {
  const single = (value: bigint): WindowAggregate => ({ count: 1, sum: value, min: plain(value), max: plain(value) });
  return combineChunks(values.map(single));
}

/** An integer as a number where that is exact. */
function plain(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

function inRange(value: number | bigint, row: number, circuit: CircuitEntry): bigint {
  const offset = offsetOf(circuit);
  if (typeof value === "bigint" || Number.isInteger(value)) {
    const exact = BigInt(value);
    if (exact >= -offset && exact < offset) return exact;
  }
  throw new IpdmError(
    "PROOF_VALUE_OUT_OF_RANGE",
    `row ${row} of the window holds ${value}, which is no signed ${circuit.valueBits}-bit integer`,
    {
      hint:
        circuit.valueBits < 64
          ? "prove it with bits: 64, or scale the values in the module; proofs never round or cut"
          : "prove a column of integers in this range, or scale the values in the module; proofs never round or cut",
      facts: { row, value: String(value) },
    },
  );
}
