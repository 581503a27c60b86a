import fc from "fast-check";
import { lastValueFrom, type Observable, toArray } from "rxjs";
import { describe, expect, it } from "vitest";
import type { Batch } from "../../../src/batch/batch.ts";
import { BatchWriter } from "../../../src/batch/writer.ts";
import { sha256 } from "../../../src/node.ts";
import type { Flow, SavedPlaces } from "../../../src/streams/index.ts";
import {
  Checkpointer,
  columns,
  count,
  drain,
  eventTime,
  keyBy,
  max,
  openSavepoint,
  scan,
  source,
  sum,
  toRows,
} from "../../../src/streams/index.ts";

const schema = columns({ at: "timestamp", key: "utf8", x: "i64?" });
type Row = readonly [at: bigint, key: string, x: bigint | null];
const rows = fc.array(
  fc.tuple(
    fc.bigInt({ min: 0n, max: 60n }),
    fc.constantFrom("a", "b", "c"),
    fc.oneof(fc.bigInt({ min: -5n, max: 5n }), fc.constant(null)),
  ),
  { maxLength: 40 },
);
const TTL = 10;
const OUT_OF_ORDER = 5;

function* cut(given: readonly Row[], size: number): Generator<Batch> {
  const writer = new BatchWriter(schema);
  for (const row of given) {
    writer.push(row);
    if (writer.rows === size) yield writer.take();
  }
  if (writer.rows > 0) yield writer.take();
}

/** Row after row: what a key has come to, unless the watermark has passed its latest row by the time-to-live. */
function expected(given: readonly Row[]): string[] {
  const keys = new Map<string, { latest: number; n: number; sum: number; most: number | null }>();
  let newest = Number.NEGATIVE_INFINITY;
  return given.map(([at, key, x]) => {
    newest = Math.max(newest, Number(at));
    let own = keys.get(key);
    if (own === undefined || own.latest + TTL <= newest - OUT_OF_ORDER)
      own = { latest: Number(at), n: 0, sum: 0, most: null };
    own.latest = Math.max(own.latest, Number(at));
    own.n++;
    if (x !== null) {
      own.sum += Number(x);
      own.most = Math.max(own.most ?? Number.NEGATIVE_INFINITY, Number(x));
    }
    keys.set(key, own);
    return `${key} ${own.n} ${own.sum} ${own.most}`;
  });
}

const piped = (input: Observable<Flow>): Observable<Flow> =>
  input.pipe(
    eventTime("at", { outOfOrder: `${OUT_OF_ORDER}us` }),
    keyBy("key"),
    scan({ n: count(), sum: sum("x"), most: max("x") }, { ttl: `${TTL}us` }),
  ) as Observable<Flow>;
async function told(input: Observable<Flow>): Promise<string[]> {
  const found = await lastValueFrom(piped(input).pipe(toRows(), toArray()));
  return found.map((row) => `${String(row["key"])} ${String(row["n"])} ${String(row["sum"])} ${String(row["most"])}`);
}

describe("scan with a time-to-live", () => {
  it("begins a key anew once the watermark has passed its latest row by so much, in any batches, from any savepoint", async () => {
    await fc.assert(
      fc.asyncProperty(rows, fc.constantFrom(1, 3, 4096), fc.constantFrom(2, 5), async (given, size, every) => {
        const whole = expected(given);
        expect(await told(source(cut(given, size), { schema }))).toEqual(whole);
        const blocks = new Map<string, Uint8Array>();
        const saved: SavedPlaces[] = [];
        const store = {
          put: (cid: object, bytes: Uint8Array) => void blocks.set(String(cid), bytes),
          get: (cid: object) => blocks.get(String(cid)) as Uint8Array,
        };
        const roots: Parameters<typeof openSavepoint>[0][] = [];
        const checkpoints = new Checkpointer({
          hash: sha256,
          store,
          everyBatches: every,
          stored: (_, root) => void roots.push(root),
        });
        await drain(piped(source(cut(given, 2), { schema, checkpoints })), () => undefined, { checkpoints });
        for (const root of roots) saved.push(await openSavepoint(root, sha256, async (cid) => store.get(cid)));
        for (const from of saved) {
          const rest = await told(source(cut(given, size), { schema, from }));
          expect(rest).toEqual(whole.slice(whole.length - rest.length));
          expect(rest).toHaveLength(given.length - from.rows("input"));
        }
      }),
      { numRuns: 40 },
    );
  });
});
