import { encode } from "@ipld/dag-cbor";
import { sha256 } from "@noble/hashes/sha2.js";
import { assert } from "../../src/core/errors.ts";
import { elementOfHash } from "./field.ts";

/** What one window proof is about. Two proofs of different windows, runs or chunks never share a context. */
export interface WindowContext {
  /** Bytes of the CID of the result statement. */
  readonly statement: Uint8Array;
  readonly domain: string;
  readonly epoch: number | bigint;
  readonly task: string;
  /** The output column whose aggregate is proved. */
  readonly column: string;
  /** Canonical bytes of the window's key. */
  readonly key: Uint8Array;
  /** First microsecond of the window, and the first after it. */
  readonly windowStart: number | bigint;
  readonly windowEnd: number | bigint;
  /** Position of this chunk, from 0, and how many the window has. */
  readonly chunk: number;
  readonly chunks: number;
}

/**
 * The context as an element of the scalar field: SHA-256 of the dag-cbor map `{v: 1, statement, domain, epoch, task, column,
 * key, windowStart, windowEnd, chunk, chunks}` (its bytes are canonical), upper three bits cleared.
 */
export function contextOf(context: WindowContext): bigint {
  const { statement, domain, epoch, task, column, key, windowStart, windowEnd, chunk, chunks } = context;
  for (const value of [epoch, windowStart, windowEnd, chunk, chunks]) {
    assert(typeof value === "bigint" || Number.isSafeInteger(value), "the numbers of a context are exact integers");
  }
  assert(chunk >= 0 && chunk < chunks, "a chunk's position is below the number of chunks");
  return elementOfHash(
    sha256(encode({ v: 1, statement, domain, epoch, task, column, key, windowStart, windowEnd, chunk, chunks })),
  );
}
