import { describe, expect, it } from "vitest";
import { Gate } from "../../../src/runtime/gate.ts";

describe("a gate", () => {
  it("lets so many through at once, the others in order, and goes on after a failure", async () => {
    const gate = new Gate(2);
    const began: number[] = [];
    const ends = [0, 1, 2, 3, 4].map(() => Promise.withResolvers<number>());
    const works = ends.map(({ promise }, at) =>
      gate.pass(async () => {
        began.push(at);
        return await promise;
      }),
    );
    const results = Promise.allSettled(works);
    await Promise.resolve();
    expect(began).toEqual([0, 1]);
    ends[1]?.reject(new Error("no"));
    await works[1]?.catch(() => {});
    await Promise.resolve();
    expect(began).toEqual([0, 1, 2]);
    for (const [at, { resolve }] of ends.entries()) resolve(at);
    expect((await results).map(({ status }) => status)).toEqual([
      "fulfilled",
      "rejected",
      "fulfilled",
      "fulfilled",
      "fulfilled",
    ]);
    expect(began).toEqual([0, 1, 2, 3, 4]);
    expect(await gate.pass(async () => "again")).toBe("again");
  });
});
