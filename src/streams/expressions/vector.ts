import { IpdmError } from "../../core/errors.ts";

/** What the values of a vector are: numbers of the three kinds are kept alike. */
export type Kind = "int" | "float" | "time" | "bool" | "text" | "bytes" | "null";

/**
 * The values of up to 4096 rows. Numbers, instants and truth values (0 and 1) are f64 as long as all of them are exact there, and
 * bigint for all rows otherwise. What stands at a null row means nothing.
 */
export interface Vector {
  numbers: Float64Array;
  /** Instead of `numbers` where an integer of these rows is beyond ±(2^53 − 1). */
  wides: readonly bigint[] | undefined;
  texts: readonly (string | Uint8Array | null)[];
  /** 1 where the row has no value. */
  nulls: Uint8Array | undefined;
}

/** A vector with room for the rows given. */
export function vector(rows: number): Vector {
  return { numbers: new Float64Array(rows), wides: undefined, texts: [], nulls: undefined };
}

/** The values as bigints. */
export function widesOf({ numbers, wides, nulls }: Vector, count: number): readonly bigint[] {
  if (wides !== undefined) return wides;
  return Array.from({ length: count }, (_, i) => (nulls?.[i] === 1 ? 0n : BigInt(numbers[i] as number)));
}

/** Puts exact integers into a vector: as numbers where all fit. Throws `EXPRESSION_OVERFLOW` beyond 64 bits. */
export function putWides(into: Vector, values: readonly bigint[], count: number): void {
  let fits = true;
  for (let i = 0; i < count; i++) {
    const value = values[i] as bigint;
    if (into.nulls?.[i] === 1) continue;
    if (BigInt.asIntN(64, value) !== value && BigInt.asUintN(64, value) !== value) throw overflow(value);
    if (!Number.isSafeInteger(Number(value))) fits = false;
  }
  if (!fits) {
    into.wides = values;
    return;
  }
  into.wides = undefined;
  for (let i = 0; i < count; i++) into.numbers[i] = Number(values[i]);
}

/** Nulls of two vectors together. */
export function eitherNull(a: Vector, b: Vector, count: number): Uint8Array | undefined {
  if (a.nulls === undefined) return b.nulls;
  if (b.nulls === undefined) return a.nulls;
  const nulls = new Uint8Array(count);
  for (let i = 0; i < count; i++) nulls[i] = (a.nulls[i] as number) | (b.nulls[i] as number);
  return nulls;
}

function overflow(value: bigint): IpdmError {
  return new IpdmError("EXPRESSION_OVERFLOW", `an expression gives ${value}, which does not fit 64 bits`, {
    hint: "use smaller values or cast to f64 first",
    facts: { value: value.toString() },
  });
}
