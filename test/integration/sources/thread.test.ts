import { subscribe } from "node:diagnostics_channel";
import { setImmediate as turn } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Worker } from "node:worker_threads";
import { describe, expect, it } from "vitest";
import { openSource } from "../../../src/sources/port.ts";

const FLIGHTS = fileURLToPath(new URL("../../../node_modules/vega-datasets/data/flights-3m.parquet", import.meta.url));

const workers: Worker[] = [];
subscribe("worker_threads", (message) => workers.push((message as { readonly worker: Worker }).worker));

/** Threads that began in this file and have not ended. */
function threads(): number {
  return workers.filter(({ threadId }) => threadId !== -1).length;
}

describe("the thread of a source", () => {
  it("ends when the consumer stops, aborts, or closes the source", async () => {
    const before = threads();
    await using source = await openSource({ file: FLIGHTS });
    for await (const batch of source.batches({ batchRows: 4096 })) {
      expect(batch.rows).toBe(4096);
      expect(threads()).toBeGreaterThan(before);
      break;
    }
    expect(threads()).toBe(before);

    const controller = new AbortController();
    const reason = new Error("enough");
    await expect(
      (async () => {
        for await (const _ of source.batches({ batchRows: 4096, signal: controller.signal })) controller.abort(reason);
      })(),
    ).rejects.toBe(reason);
    expect(threads()).toBe(before);

    const waiting = source.batches({ batchRows: 1 });
    await waiting.next();
    await source.close();
    await expect(waiting.next()).rejects.toMatchObject({ name: "AbortError" });
    expect(threads()).toBe(before);
  });

  it("wakes a consumer that waits when the signal is aborted", async () => {
    await using source = await openSource({ file: FLIGHTS });
    const controller = new AbortController();
    const first = source.batches({ batchRows: 4096, signal: controller.signal }).next();
    controller.abort(new Error("at once"));
    await expect(first).rejects.toThrow("at once");
  });

  it("leaves the event loop free while it decodes", async () => {
    await using source = await openSource({ file: FLIGHTS });
    let turns = 0;
    let isDone = false;
    const counting = (async () => {
      while (!isDone) {
        await turn();
        turns++;
      }
    })();
    let batches = 0;
    for await (const _ of source.batches({ batchRows: 4096 })) batches++;
    isDone = true;
    await counting;
    expect(batches).toBe(733);
    expect(turns).toBeGreaterThan(batches);
  });

  it("reads twice at once from one source", async () => {
    await using source = await openSource({ file: FLIGHTS, columns: { delay: "i64" } });
    const count = async (): Promise<number> => {
      let rows = 0;
      for await (const batch of source.batches({ batchRows: 4000 })) rows += batch.rows;
      return rows;
    };
    expect(await Promise.all([count(), count()])).toEqual([3_000_000, 3_000_000]);
  });
});
