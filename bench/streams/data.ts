import type { DuckDBConnection } from "@duckdb/node-api";
import { BIGINT, DOUBLE, DuckDBDataChunk, INTEGER } from "@duckdb/node-api";
import type { Batch } from "../../src/batch/batch.ts";
import { assembleBatch } from "../../src/batch/gather.ts";
import { columns } from "../../src/streams/index.ts";

/** Rows of a bench's stream, as plain arrays and as batches of 4096. */
export interface Rows {
  readonly at: Float64Array;
  readonly key: Int32Array;
  readonly price: Float64Array;
  readonly batches: readonly Batch[];
}

/** Columns of {@link Rows}: event time, key, price. */
export const BID = columns({ at: "timestamp", key: "i32", price: "f64" });
const BATCH_ROWS = 4096;

/** Pseudo-random 32-bit numbers from a seed (the mulberry32 generator). */
export function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let word = Math.imul(state ^ (state >>> 15), 1 | state);
    word = (word + Math.imul(word ^ (word >>> 7), 61 | word)) ^ word;
    return ((word ^ (word >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Bids: 10,000 a second of event time, up to 2 s out of order; a share of them on a hot key that moves. */
export function bids(rows: number, keys: number, { seed = 1, hot = 0.5 } = {}): Rows {
  const next = random(seed);
  const at = new Float64Array(rows);
  const key = new Int32Array(rows);
  const price = new Float64Array(rows);
  for (let i = 0; i < rows; i++) {
    at[i] = i * 100 - Math.floor(next() * 2_000_000) + 2_000_000;
    key[i] = next() < hot ? Math.floor(i / 1000) % keys : Math.floor(next() * keys);
    price[i] = Math.floor(next() * 10_000);
  }
  const batches: Batch[] = [];
  for (let from = 0; from < rows; from += BATCH_ROWS)
    batches.push(batchOf(at, key, price, from, Math.min(rows, from + BATCH_ROWS)));
  return { at, key, price, batches };
}

function batchOf(at: Float64Array, key: Int32Array, price: Float64Array, from: number, to: number): Batch {
  const times = BigInt64Array.from(at.subarray(from, to), (time) => BigInt(time));
  const part = (data: BigInt64Array | Int32Array | Float64Array) => ({
    data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
    nulls: 0,
    validity: undefined,
    offsets: undefined,
    extra: undefined,
    entries: 0,
  });
  return assembleBatch(BID, to - from, [part(times), part(key.slice(from, to)), part(price.slice(from, to))]);
}

/** Loads rows into a table of DuckDB, from JavaScript arrays by its appender. */
export async function load(connection: DuckDBConnection, table: string, { at, key, price }: Rows): Promise<void> {
  await connection.run(`create or replace table ${table} (t bigint, key integer, price double)`);
  const appender = await connection.createAppender(table);
  for (let from = 0; from < at.length; from += 2048) {
    const to = Math.min(at.length, from + 2048);
    const chunk = DuckDBDataChunk.create([BIGINT, INTEGER, DOUBLE]);
    chunk.setColumns([
      Array.from(at.subarray(from, to), (time) => BigInt(time)),
      Array.from(key.subarray(from, to)),
      Array.from(price.subarray(from, to)),
    ]);
    appender.appendDataChunk(chunk);
  }
  appender.closeSync();
}
