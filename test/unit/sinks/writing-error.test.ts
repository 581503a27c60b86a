import { describe, expect, it } from "vitest";
import { writingError } from "../../../src/sinks/atomic-file.ts";

describe("errors while writing", () => {
  const system = (code: string): Error => Object.assign(new Error(code), { code });
  it("say that the disk is full, by whatever name the system gives it", () => {
    for (const code of ["ENOSPC", "EDQUOT"]) {
      expect(writingError("t.csv", system(code))).toMatchObject({
        code: "DISK_FULL",
        kind: "failed",
        retry: "later",
        where: "t.csv",
      });
    }
  });
  it("tell a path that cannot be written from a device that failed", () => {
    expect(writingError("t.csv", system("EACCES"))).toMatchObject({ code: "SINK_UNWRITABLE", kind: "config" });
    expect(writingError("t.csv", system("EIO"))).toMatchObject({ code: "SINK_FAILED" });
    const other = new Error("bug");
    expect(writingError("t.csv", other)).toBe(other);
  });
});
