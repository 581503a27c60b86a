import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { failureOf } from "../../../src/cli/failure.ts";

/** What a command says of the error that some work ends with. */
const failing = async (work: () => unknown) => {
  try {
    await work();
  } catch (error) {
    return failureOf(error);
  }
  return expect.unreachable();
};

describe("what is told of an error that is not ours", () => {
  it("is the system's code, its path and what to try, where the system gave one", async () => {
    const path = join(tmpdir(), "no such folder", "file");
    expect(await failing(() => readFile(path))).toMatchObject({
      code: "ENOENT",
      where: path,
      exit: 1,
      hint: "check the path",
    });
  });

  it("is UNEXPECTED, its words and how to see more, where it is a mistake of the program", async () => {
    const told = { code: "UNEXPECTED", exit: 1, where: undefined, hint: expect.stringContaining("--verbose") };
    expect(await failing(() => JSON.parse("{"))).toMatchObject({ ...told, message: expect.stringContaining("JSON") });
  });
});
