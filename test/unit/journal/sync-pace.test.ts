import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { SyncPace } from "../../../src/journal/sync-pace.ts";

let now = 0;

/** A sync that takes so many milliseconds. */
function sync(ms: number): () => void {
  return () => {
    now += ms;
  };
}

function paceOf(ms: number): SyncPace {
  const pace = new SyncPace(() => now);
  pace.measured(ms);
  return pace;
}

describe("the pace of syncs", () => {
  it("leaves the first one to a thread, and all of a slow disk", () => {
    expect(new SyncPace().isDirect(true)).toBe(false);
    expect(paceOf(4).isDirect(true)).toBe(false);
  });

  it("calls those of a fast disk directly while one writer is alone, for two milliseconds of a turn of the event loop", async () => {
    const pace = paceOf(0.1);
    expect(pace.isDirect(false)).toBe(false);
    let count = 0;
    for (; pace.isDirect(true); count++) pace.direct(sync(0.125));
    expect(count).toBe(16);
    await turn();
    await turn();
    expect(pace.isDirect(true)).toBe(true);
  });

  it("gives a disk back to the threads after one slow sync, until it has been fast for a while", async () => {
    const pace = paceOf(0.1);
    pace.direct(sync(3));
    await turn();
    await turn();
    let count = 0;
    for (; !pace.isDirect(true); count++) pace.measured(0.1);
    expect(count).toBe(19);
  });
});
