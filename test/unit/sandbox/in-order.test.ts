import { describe, expect, it } from "vitest";
import { schemaOf } from "../../../src/batch/schema.ts";
import { BatchWriter } from "../../../src/batch/writer.ts";
import { inOrder } from "../../../src/sandbox/in-order.ts";
import type { Call, Processed } from "../../../src/sandbox/port.ts";

const SCHEMA = schemaOf([{ name: "bytes", type: "binary", nullable: false }]);

function callOf(firstRow: number, sizeBytes = 8): Call {
  const writer = new BatchWriter(SCHEMA);
  writer.push([new Uint8Array(sizeBytes)]);
  return { batch: writer.take(), context: { firstRow, seed: new Uint8Array(32) } };
}

/** Calls that are ended by hand. */
class Calls {
  readonly ends: (() => void)[] = [];
  readonly run = ({ batch }: Call): Promise<Processed> =>
    new Promise((resolve) => this.ends.push(() => resolve({ batch, fuel: this.ends.length })));
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("calls in order", () => {
  it("are handed on when they are done, also while the next call is long in coming", async () => {
    let wake = (): void => undefined;
    async function* source(): AsyncGenerator<Call> {
      yield callOf(0);
      await new Promise<void>((resolve) => (wake = resolve));
      yield callOf(1);
    }
    const calls = new Calls();
    const outputs = inOrder(source(), calls.run)[Symbol.asyncIterator]();
    const first = outputs.next();
    await turn();
    calls.ends[0]?.();
    expect((await first).done).toBe(false);
    const second = outputs.next();
    wake();
    await turn();
    calls.ends[1]?.();
    expect((await second).done).toBe(false);
    expect((await outputs.next()).done).toBe(true);
  });

  it("are as many as have room, by number and by bytes", async () => {
    const made = async (sizeBytes: number): Promise<number> => {
      const calls = new Calls();
      const source = new Array<Call>(100).fill(callOf(0, sizeBytes));
      void inOrder(source, calls.run, 16)[Symbol.asyncIterator]().next();
      await turn();
      return calls.ends.length;
    };
    expect(await made(8)).toBe(17);
    expect(await made(1024 * 1024)).toBe(8);
  });

  it("end without waiting for a call that never comes", async () => {
    async function* source(): AsyncGenerator<Call> {
      yield callOf(0);
      await new Promise(() => undefined);
    }
    const failing = inOrder(source(), () => Promise.reject(new Error("no")))[Symbol.asyncIterator]();
    await expect(failing.next()).rejects.toThrow("no");
  });

  it("let go of their source, and fail with it", async () => {
    let isClosed = false;
    async function* source(fails: boolean): AsyncGenerator<Call> {
      try {
        yield callOf(0);
        if (fails) throw new Error("broken");
        yield callOf(1);
      } finally {
        isClosed = true;
      }
    }
    const run = ({ batch }: Call): Promise<Processed> => Promise.resolve({ batch, fuel: 1 });
    for await (const _ of inOrder(source(false), run)) break;
    expect(isClosed).toBe(true);
    const all = async (): Promise<void> => {
      for await (const _ of inOrder(source(true), run));
    };
    await expect(all()).rejects.toThrow("broken");
  });
});
