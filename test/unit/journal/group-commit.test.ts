import { describe, expect, it } from "vitest";
import { GroupCommit } from "../../../src/journal/group-commit.ts";
import { GROUP_OPERATIONS_MAX, QUEUE_BYTES_MAX } from "../../../src/journal/limits.ts";

describe("group commit", () => {
  it("collects what arrives during a write into the next group, in order", async () => {
    const groups: number[][] = [];
    const gates: PromiseWithResolvers<void>[] = [];
    const commit = new GroupCommit<number>(async (group) => {
      groups.push([...group]);
      const gate = Promise.withResolvers<void>();
      gates.push(gate);
      await gate.promise;
    });
    const first = [1, 2, 3].map((number) => commit.add(number, 1));
    await Promise.resolve();
    await Promise.resolve();
    const second = [4, 5].map((number) => commit.add(number, 1));
    gates[0]?.resolve();
    await Promise.all(first);
    await Promise.resolve();
    gates[1]?.resolve();
    await Promise.all(second);
    expect(groups).toEqual([
      [1, 2, 3],
      [4, 5],
    ]);
  });

  it("bounds a group by bytes and count, keeps order past the queue's limit, and lets one huge operation through", async () => {
    const groups: number[][] = [];
    const commit = new GroupCommit<number>(async (group) => {
      groups.push([...group]);
    });
    const huge = commit.add(-1, 2 * QUEUE_BYTES_MAX);
    const many = Array.from({ length: 5 * GROUP_OPERATIONS_MAX }, (_, at) => commit.add(at, 1));
    await Promise.all([huge, ...many]);
    expect(groups[0]).toEqual([-1]);
    expect(groups.slice(1).flat()).toEqual(many.map((_, at) => at));
    expect(Math.max(...groups.map((group) => group.length))).toBe(GROUP_OPERATIONS_MAX);
  });

  it("stops for good after a failed write: its group sees the cause, all others JOURNAL_STOPPED", async () => {
    const commit = new GroupCommit<number>(async () => {
      throw new Error("the disk is gone");
    });
    const results = Promise.allSettled([commit.add(1, 1), commit.add(2, 64 * 1024 * 1024), commit.add(3, 1)]);
    const [first, second, third] = await results;
    expect(first).toMatchObject({ status: "rejected", reason: { message: "the disk is gone" } });
    for (const result of [second, third]) expect(result).toMatchObject({ reason: { code: "JOURNAL_STOPPED" } });
    await expect(commit.add(4, 1)).rejects.toMatchObject({ code: "JOURNAL_STOPPED" });
    await commit.close();
  });
});
