import { describe, expect, it } from "vitest";
import type { Batch } from "../../../src/batch/batch.ts";
import { schemaOf } from "../../../src/batch/schema.ts";
import { BatchWriter } from "../../../src/batch/writer.ts";
import type { ThreadCall } from "../../../src/sandbox/lane-messages.ts";
import { openLanes } from "../../../src/sandbox/lane-pool.ts";
import { LaneProcess } from "../../../src/sandbox/lane-process.ts";
import { LaneThread, type Thread, type ThreadEvents } from "../../../src/sandbox/lane-thread.ts";
import { QUEUE_MAX } from "../../../src/sandbox/limits.ts";
import type { Lane, ModuleHandle } from "../../../src/sandbox/port.ts";
import { specOf, watBytes, watSource } from "../../support/wat-module.ts";

const schema = schemaOf([{ name: "n", type: "i32", nullable: false }]);
const context = { firstRow: 0, seed: new Uint8Array(32) };

function batchOf(value: number): Batch {
  const writer = new BatchWriter(schema);
  writer.push([value]);
  return writer.take();
}

async function echoIn(lane: Lane): Promise<ModuleHandle> {
  const handle = await lane.load(specOf(await watBytes(watSource())));
  await handle.outputSchema(schema);
  return handle;
}

/** A thread that keeps its calls until the test answers them; it gives every batch back. */
class HeldThread implements Thread {
  readonly calls: ThreadCall[] = [];
  readonly isReady = true;
  isEnded = false;
  private readonly events: ThreadEvents;

  constructor(events: ThreadEvents) {
    this.events = events;
    queueMicrotask(() => events.ready());
  }

  load(): void {}
  hold(): void {}
  openSession(): void {}
  closeSession(): void {}

  /** A batch of this value cannot be posted. */
  refuses = -1;

  call(calls: readonly ThreadCall[]): void {
    for (const { work } of calls)
      if (work.type === "process" && valueOf(work.batch) === this.refuses)
        throw new DOMException("the message could not be cloned", "DataCloneError");
    this.calls.push(...calls);
  }

  hasUnread(answer: (isUnread: boolean) => void): void {
    answer(false);
  }

  async end(): Promise<void> {
    this.isEnded = true;
  }

  /** Values of the batches that wait here; null for other calls. */
  get values(): (number | null)[] {
    return this.calls.map(({ work }) => (work.type === "process" ? valueOf(work.batch) : null));
  }

  answer(): void {
    const work = this.calls.shift()?.work;
    if (work?.type === "abi") this.events.outcome({ type: "abi", version: 1 });
    if (work?.type === "process")
      this.events.outcome({ type: "output", bytes: work.batch as ArrayBuffer, fuel: 1, log: [] });
  }

  lose(): void {
    this.events.lost("gone");
  }
}

function valueOf(block: ArrayBuffer | SharedArrayBuffer): number | null {
  const view = new DataView(block);
  return view.getUint32(12, true) === 0 ? null : view.getInt32(view.getUint32(64 + 32, true), true);
}

/** Lets everything happen that waits for nothing but its turn. */
async function settled(): Promise<void> {
  for (let i = 0; i < 4; i++) await new Promise((resolve) => setImmediate(resolve));
}

/** A pool over held threads, with modules that have answered what a load asks. */
async function heldPool(
  lanes: number,
  modules: number,
): Promise<{ lane: Lane; threads: HeldThread[]; handles: ModuleHandle[] }> {
  const threads: HeldThread[] = [];
  const start = (events: ThreadEvents): HeldThread => {
    const thread = new HeldThread(events);
    threads.push(thread);
    return thread;
  };
  const lane = openLanes({ lanes, start: { thread: start } });
  const handles: ModuleHandle[] = [];
  const bytes = await watBytes(watSource());
  while (handles.length < modules) {
    let handle: ModuleHandle | undefined;
    void lane.load(specOf(bytes)).then(async (loaded) => {
      await loaded.outputSchema(schema);
      handle = loaded;
    });
    while (handle === undefined) {
      await settled();
      for (const thread of threads) thread.answer();
    }
    handles.push(handle);
  }
  return { lane, threads, handles };
}

const waitMs = (ms: number): void => {
  const until = performance.now() + ms;
  while (performance.now() < until);
};

describe("a pool of lanes", () => {
  it("starts threads when there is work for them, and no more than it may", async () => {
    const threads: LaneThread[] = [];
    await using lane = openLanes({
      lanes: 3,
      start: {
        thread: (events) => {
          const thread = new LaneThread(events);
          threads.push(thread);
          return thread;
        },
      },
    });
    const echo = await echoIn(lane);
    expect(threads.length).toBe(1);
    for (let i = 0; i < 5; i++) await echo.process(batchOf(i), context);
    expect(threads.length).toBe(1);
    const outputs = await Promise.all(Array.from({ length: 2000 }, (_, i) => echo.process(batchOf(i), context)));
    expect(outputs.map(({ columns }) => columns[0]?.values[0])).toEqual(outputs.map((_, i) => i));
    expect(threads.length).toBeGreaterThan(1);
    expect(threads.length).toBeLessThanOrEqual(3);
  });

  it.each([0, 65, 1.5, Number.NaN])("refuses to have %s lanes", (lanes) => {
    expect(() => openLanes({ lanes })).toThrow(expect.objectContaining({ code: "LANES_INVALID" }));
  });

  it("leaves a lane to others while a module's calls are long", async () => {
    const { lane, threads, handles } = await heldPool(3, 2);
    const [slow, other] = handles as [ModuleHandle, ModuleHandle];
    const long = slow.process(batchOf(0), context);
    await settled();
    waitMs(120);
    for (const thread of threads) thread.answer();
    await long;
    const stuck = Array.from({ length: 50 }, (_, i) => slow.process(batchOf(100 + i), context));
    await settled();
    // Long calls: one in each of two lanes, the others wait in no lane.
    expect(threads.flatMap(({ values }) => values)).toEqual([100, 101]);
    const quick = Array.from({ length: 20 }, (_, i) => other.process(batchOf(i), context));
    await settled();
    while (threads.some(({ values }) => values.some((value) => (value ?? 100) < 100))) {
      const at = threads.find(({ values }) => (values[0] ?? 100) < 100);
      at?.answer();
      await settled();
    }
    expect((await Promise.all(quick)).length).toBe(20);
    expect(threads.flatMap(({ values }) => values)).toEqual([100, 101]);
    for (const wait of stuck) wait.catch(() => undefined);
    await lane.close();
    expect(threads.every(({ isEnded }) => isEnded)).toBe(true);
  });

  it("gives a module alone every lane", async () => {
    const { lane, threads, handles } = await heldPool(2, 1);
    const [slow] = handles as [ModuleHandle];
    const long = slow.process(batchOf(0), context);
    await settled();
    waitMs(120);
    for (const thread of threads) thread.answer();
    await long;
    const waits = Array.from({ length: 5 }, (_, i) => slow.process(batchOf(i), context));
    await settled();
    expect(threads.map(({ values }) => values.length)).toEqual([1, 1]);
    for (const wait of waits) wait.catch(() => undefined);
    await lane.close();
  });

  it("hands calls to the lane that has the fewest, so that few calls are shared as well", async () => {
    const { lane, threads, handles } = await heldPool(2, 1);
    const [echo] = handles as [ModuleHandle];
    const make = (count: number): void => {
      for (let i = 0; i < count; i++) echo.process(batchOf(i), context).catch(() => undefined);
    };
    make(20);
    await settled();
    while (threads.some(({ calls }) => calls.length > 0)) {
      for (const thread of threads) thread.answer();
      await settled();
    }
    make(8);
    await settled();
    expect(threads.map(({ values }) => values)).toEqual([
      [0, 2, 4, 6],
      [1, 3, 5, 7],
    ]);
    await lane.close();
  });

  it("takes turns on one lane by the time that modules have had, not by their calls", async () => {
    const { lane, threads, handles } = await heldPool(1, 2);
    const [slow, quick] = handles as [ModuleHandle, ModuleHandle];
    const first = slow.process(batchOf(1), context);
    await settled();
    waitMs(30);
    threads[0]?.answer();
    await first;
    const order: string[] = [];
    const note = (name: string) => (): void => void order.push(name);
    for (let i = 0; i < 6; i++) void slow.process(batchOf(1), context).then(note("slow"), () => undefined);
    for (let i = 0; i < 200; i++) void quick.process(batchOf(2), context).then(note("quick"), () => undefined);
    await settled();
    while (order.length < 206) {
      if (threads[0]?.values[0] === 1) waitMs(30);
      threads[0]?.answer();
      await settled();
    }
    // 200 quick calls take less time than two slow ones.
    expect(order.lastIndexOf("quick")).toBeLessThan(206 - 3);
    await lane.close();
  });

  it("holds no more of a module than its queue, however many lanes, and no less for what others ask", async () => {
    const { lane, threads, handles } = await heldPool(2, 2);
    const [echo, other] = handles as [ModuleHandle, ModuleHandle];
    let overloaded = 0;
    let turnedAway = 0;
    for (let i = 0; i < QUEUE_MAX + 100; i++)
      echo.process(batchOf(1), context).catch((error: { code: string }) => {
        if (error.code === "LANE_OVERLOADED") overloaded++;
      });
    for (let i = 0; i < 100; i++) other.process(batchOf(2), context).catch(() => turnedAway++);
    await settled();
    expect(turnedAway).toBe(0);
    const inLanes = threads.reduce((sum, { calls }) => sum + calls.length, 0);
    expect(inLanes).toBeLessThanOrEqual(32);
    expect(overloaded).toBeGreaterThanOrEqual(100 - 32);
    expect(overloaded).toBeLessThanOrEqual(100);
    await lane.close();
  });

  it("fails a call that cannot be posted at once, and it alone", async () => {
    const { lane, threads, handles } = await heldPool(1, 1);
    const [echo] = handles as [ModuleHandle];
    // The first tells how long calls take, so that those behind it go in one message.
    const first = echo.process(batchOf(0), context);
    await settled();
    const [thread] = threads;
    if (thread === undefined) throw new Error("there is no thread");
    thread.refuses = 2;
    thread.answer();
    await first;
    const ends = [1, 2, 3].map((value) => echo.process(batchOf(value), context).catch((error: Error) => error));
    expect(await ends[1]).toMatchObject({
      code: "LANE_FAULT",
      message: expect.stringContaining("not be cloned") as string,
    });
    await settled();
    expect(thread.values).toEqual([1, 3]);
    thread.answer();
    thread.answer();
    expect([await ends[0], await ends[2]]).toMatchObject([{ rows: 1 }, { rows: 1 }]);
    // The lane goes on where the refused call was alone, too.
    const alone = echo.process(batchOf(2), context);
    await expect(alone).rejects.toMatchObject({ code: "LANE_FAULT" });
    const behind = echo.process(batchOf(4), context);
    await settled();
    thread.answer();
    expect((await behind).rows).toBe(1);
    await lane.close();
  });

  it("runs what a lost lane held in the next, and nothing twice", async () => {
    const { lane, threads, handles } = await heldPool(1, 1);
    const [echo] = handles as [ModuleHandle];
    const outputs = Array.from({ length: 6 }, (_, i) => echo.process(batchOf(i), context));
    await settled();
    threads[0]?.answer();
    await settled();
    threads[0]?.lose();
    await settled();
    expect(threads.length).toBe(2);
    while ((threads[1]?.calls.length ?? 0) > 0) {
      threads[1]?.answer();
      await settled();
    }
    expect((await Promise.all(outputs)).map(({ columns }) => columns[0]?.values[0])).toEqual([0, 1, 2, 3, 4, 5]);
    await lane.close();
  });

  it("outlives processes that are killed in the middle of a call", async () => {
    const pids: number[] = [];
    /** Kills its process when it is given a call with the value 13. */
    class Doomed extends LaneProcess {
      override call(calls: readonly ThreadCall[]): void {
        if (calls.some(({ work }) => work.type === "process" && valueOf(work.batch) === 13)) {
          pids.push(this.pid ?? 0);
          process.kill(this.pid ?? 0, "SIGKILL");
        }
        super.call(calls);
      }
    }
    await using lane = openLanes({
      lanes: 2,
      isolation: "process",
      start: { process: (events) => new Doomed(events) },
    });
    const echo = await echoIn(lane);
    const values = [13, ...Array.from({ length: 12 }, (_, i) => i)];
    const outputs = await Promise.allSettled(values.map((value) => echo.process(batchOf(value), context)));
    for (const [i, output] of outputs.entries()) {
      if (i === 0) expect(output).toMatchObject({ status: "rejected", reason: { code: "LANE_CRASHED", retry: "now" } });
      else expect(output).toMatchObject({ status: "fulfilled", value: batchOf(i - 1) });
    }
    expect(new Set(pids).size).toBe(2);
    expect((await echo.process(batchOf(3), context)).rows).toBe(1);
  });
});
