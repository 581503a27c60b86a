import { describe, expect, it } from "vitest";
import { GroupCommit } from "../../../src/journal/group-commit.ts";
import { GroupPace } from "../../../src/journal/group-pace.ts";
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

  it("says when one writer is alone, and never otherwise", async () => {
    const seen: [size: number, alone: boolean][] = [];
    const commit = new GroupCommit<number>((group, alone) => {
      seen.push([group.length, alone]);
      return undefined;
    }, new GroupPace());
    for (let at = 0; at < 3; at++) await commit.add(at, 1);
    await Promise.all([1, 2, 3].map((number) => commit.add(number, 1)));
    for (let at = 0; at < 3; at++) await commit.add(at, 1);
    expect(seen).toEqual([
      [1, true],
      [1, true],
      [1, true],
      [3, false],
      // Whoever was there a moment ago may come again.
      [1, false],
      [1, false],
      [1, true],
    ]);
  });

  it("tells that an operation has ended before it settles, however it ends", async () => {
    const heard: string[] = [];
    let fails = false;
    const commit = new GroupCommit<number>(() => (fails ? Promise.reject(new Error("gone")) : undefined));
    const add = async (name: string): Promise<void> => {
      await commit.add(1, 1, () => heard.push(`${name} ended`)).catch(() => {});
      heard.push(`${name} settled`);
    };
    await add("written");
    fails = true;
    await add("failed");
    await add("refused");
    expect(heard).toEqual(["written", "failed", "refused"].flatMap((name) => [`${name} ended`, `${name} settled`]));
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
