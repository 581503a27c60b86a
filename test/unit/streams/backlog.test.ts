import { Observable, Subject, tap } from "rxjs";
import { describe, expect, it } from "vitest";
import { sha256 } from "../../../src/node.ts";
import type { CreditPool, Flow } from "../../../src/streams/index.ts";
import {
  Checkpointer,
  drain,
  eventTime,
  flatMap,
  intervalJoin,
  isBatch,
  keyBy,
  CreditPool as Pool,
  source,
} from "../../../src/streams/index.ts";
import { KeptSavepoints } from "../../support/kept-savepoints.ts";
import {
  BATCH_ROWS,
  bytesOf,
  everyKey,
  fast,
  KEYS,
  nothing,
  numbers,
  PIPES,
  type Pipe,
  slow,
} from "../../support/slow-sinks.ts";

describe("while what an operator makes waits", () => {
  const paused = PIPES["tumble"] as Pipe;

  it("a savepoint has all of it before, and goes on behind it", async () => {
    for (const name of ["tumble", "hop, taken back", "session", "globalWindow"]) {
      const pipe = PIPES[name] as Pipe;
      const expected = bytesOf(await fast(pipe));
      const seen = nothing();
      const savepoints = new KeptSavepoints(() => seen.batches.length);
      const { checkpoints, saved } = savepoints;
      const begun = (batches: number): void => {
        if (batches % 40 === 7) checkpoints.trigger();
      };
      await slow(pipe, seen, { credits: 3, checkpoints, begun });
      expect(bytesOf(seen.batches)).toEqual(expected);
      expect(seen.waiting).toBeLessThanOrEqual(3);
      expect(saved.length).toBeGreaterThan(1);
      for (const { root, done } of saved) {
        const from = await savepoints.open(root);
        const rest = nothing();
        await slow(pipe, rest, { credits: 1, from });
        expect(bytesOf(rest.batches)).toEqual(expected.slice(done));
      }
    }
  });

  it("a savepoint that is asked for from within waits for the rest as well", async () => {
    const items: string[] = [];
    const checkpoints = new Checkpointer({
      hash: sha256,
      store: { put: () => undefined, get: () => new Uint8Array(0) },
    });
    await paused(source(everyKey(1, 20), { checkpoints })).forEach((item) => {
      if (isBatch(item) && items.length === 3) checkpoints.trigger();
      items.push(isBatch(item) ? "rows" : item.kind);
    });
    const rows = Array.from({ length: KEYS / BATCH_ROWS }, () => "rows");
    expect(items).toEqual(["header", ...rows, "barrier", ...rows, "end"]);
  });

  it("an error before it, and one who leaves, end it with all credits back", async () => {
    for (const who of ["source", "drain"] as const) {
      const stop = new AbortController();
      const seen = nothing();
      const begun = (batches: number): void => {
        if (batches === 5) stop.abort(new Error("stop"));
      };
      const base = who === "source" ? (input: Observable<Flow>) => paused(stopped(input, stop.signal)) : paused;
      const run = slow(base, seen, { credits: 3, begun, ...(who === "drain" ? { signal: stop.signal } : {}) });
      await expect(run, who).rejects.toThrow("stop");
      for (let turn = 0; turn < 20; turn++) await Promise.resolve();
      expect(seen.batches, who).toHaveLength(6);
      expect(seen.given.length, who).toBeLessThanOrEqual(6 + 3);
      expect(seen.pool?.inFlight, who).toBe(0);
    }
  });

  it("items of one who cannot be stopped wait in order, with their credits", async () => {
    for (const leave of ["end", "error", "unsubscribe"] as const) {
      const feed = new Subject<Flow>();
      const pool = new Pool(3);
      const kinds: string[] = [];
      const gate = Promise.withResolvers<void>();
      const stop = new AbortController();
      const run = drain(
        paused(feed),
        async () => {
          kinds.push("rows");
          await gate.promise;
        },
        { control: ({ kind }) => void kinds.push(kind), signal: stop.signal },
      );
      const failed = run.then(
        () => undefined,
        (error: unknown) => error,
      );
      feed.next({ kind: "header", credits: pool });
      for (const batch of everyKey(1, 20, 40)) feed.next(batch);
      feed.next({ kind: "watermark", timeUs: 60 });
      feed.next({ kind: "idle", untilUs: 70 });
      feed.next({ kind: "end" });
      // The one with windows to write, one that waits behind it, and what has come out meanwhile.
      expect(pool.inFlight).toBe(1 + 1 + 2);
      if (leave === "unsubscribe") stop.abort(new Error("left"));
      else if (leave === "error") feed.error(new Error("broken"));
      else feed.complete();
      gate.resolve();
      expect(await failed).toEqual(leave === "end" ? undefined : new Error(leave === "error" ? "broken" : "left"));
      expect(pool.inFlight).toBe(0);
      const rows = Array.from({ length: (3 * KEYS) / BATCH_ROWS }, () => "rows");
      if (leave === "end") expect(kinds).toEqual(["header", ...rows, "idle", "end"]);
    }
  });

  it("an error of its own says where it happened, and ends the rows that made it", async () => {
    let closed = 0;
    function* made(): Generator<{ n: bigint }> {
      try {
        for (let n = 0n; ; n++) yield { n: n < 30_000n ? n : 2n ** 70n };
      } finally {
        closed++;
      }
    }
    for (const stops of [false, true]) {
      const stop = new AbortController();
      const seen = nothing();
      const pipe: Pipe = (input) => input.pipe(flatMap(made, numbers)) as never;
      const begun = (batches: number): void => {
        if (stops && batches === 2) stop.abort(new Error("stop"));
      };
      const run = slow(pipe, seen, { credits: 1, input: everyKey(1), begun, signal: stop.signal });
      if (stops) await expect(run).rejects.toThrow("stop");
      else
        await expect(run).rejects.toMatchObject({
          code: "VALUE_MISFIT",
          where: expect.stringContaining("input/1 flatMap"),
        });
      for (let turn = 0; turn < 20; turn++) await Promise.resolve();
      expect(seen.pool?.inFlight).toBe(0);
      expect(seen.batches.length).toBeLessThan(8);
    }
    expect(closed).toBe(2);
  });

  it("inputs of a join wait for each other's barriers", async () => {
    for (const credits of [1, 3]) {
      let stored = 0;
      const checkpoints = new Checkpointer({
        hash: sha256,
        everyBatches: 1,
        store: { put: () => undefined, get: () => new Uint8Array(0) },
        stored: () => void stored++,
      });
      const pools: CreditPool[] = [];
      const input = (name: string, ...times: readonly number[]): Observable<Flow> =>
        paused(
          source(everyKey(...times), { name, credits, checkpoints }).pipe(
            tap((item: Flow) => {
              if (!isBatch(item) && item.kind === "header") pools.push(item.credits as CreditPool);
            }),
          ),
        ).pipe(eventTime("start", { outOfOrder: "0s" }), keyBy("key")) as Observable<Flow>;
      const inputs = { left: input("left", 1, 20, 40, 60, 80), right: input("right", 25, 35, 45, 55, 85) };
      let rows = 0;
      await drain(
        intervalJoin(inputs as never, { before: "1s", after: "1s" }) as Observable<Flow>,
        async (batch) => {
          for (let turn = 0; turn < 5; turn++) await Promise.resolve();
          rows += batch.rows;
        },
        { checkpoints },
      );
      expect(rows).toBe(KEYS * 5 * 5);
      expect(stored).toBeGreaterThan(3);
      expect(pools.map(({ inFlight }) => inFlight)).toEqual([0, 0]);
    }
  });

  it("timers get their turn", async () => {
    let fired = -1;
    let batches = 0;
    await drain(paused(source(everyKey(0, 10, 20, 30, 40, 50, 60, 70, 80, 90))), () => {
      if (batches++ === 0) setImmediate(() => (fired = batches));
    });
    expect(fired).toBeGreaterThan(0);
    expect(fired).toBeLessThan(batches / 2);
    expect(batches).toBe((10 * KEYS) / BATCH_ROWS);
  });
});

/** Fails with a signal's reason, whatever the source does. */
function stopped(input: Observable<Flow>, signal: AbortSignal): Observable<Flow> {
  return new Observable<Flow>((out) => {
    signal.addEventListener("abort", () => out.error(signal.reason));
    return input.subscribe(out);
  });
}
