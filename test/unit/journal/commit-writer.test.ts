import { describe, expect, it } from "vitest";
import { utf8 } from "../../../src/core/bytes.ts";
import { type CommitPorts, CommitWriter } from "../../../src/journal/commit-writer.ts";
import type { Operation } from "../../../src/journal/operation.ts";

const note: Operation = { kind: "meta", key: "k", value: utf8("v") };
const system = (code: string): Error => Object.assign(new Error(`${code}: write`), { code });

/** A writer whose write-ahead log takes nothing, and what it tells of the failure. */
function writerOver(append: () => Promise<void>): { readonly writer: CommitWriter; readonly told: string[] } {
  const told: string[] = [];
  const ports = {
    path: "/data",
    segments: { tail: {} },
    feed: { room: () => undefined, add: () => told.push("fed") },
    witness: { note: () => told.push("witnessed") },
    log: { append },
    failed: ({ code }: { readonly code: string }) => told.push(code),
  } as unknown as CommitPorts;
  return { writer: new CommitWriter(ports), told };
}

describe("a writer of commits whose log cannot be written", () => {
  it.each([
    ["EIO", "JOURNAL_WRITE_FAILED"],
    ["ENOSPC", "DISK_FULL"],
  ])(
    "says of %s that it is %s, to the store before those who wait, and feeds the index nothing",
    async (cause, code) => {
      const failure = { code, where: "/data", retry: "later", cause: { code: cause } };
      const later = writerOver(() => Promise.reject(system(cause)));
      await expect(later.writer.write([note], false)).rejects.toMatchObject(failure);
      const atOnce = writerOver(() => {
        throw system(cause);
      });
      expect(() => atOnce.writer.write([note], true)).toThrow(expect.objectContaining({ code }));
      for (const { told } of [later, atOnce]) expect(told).toEqual([code]);
    },
  );
});
