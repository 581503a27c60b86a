import { describe, expect, it } from "vitest";
import { tidyText } from "../../../tools/tidy.ts";

describe("tidy", () => {
  it.each([
    { path: "src/core/a.ts", text: "x\n".repeat(301), says: "301 lines" },
    { path: "src/core/utils.ts", text: "", says: "says nothing" },
    { path: "machines/task/types.ts", text: "", says: "says nothing" },
    { path: "docs/a.md", text: `TO${"DO"}: write this`, says: "docs/a.md:1: unfinished work" },
    { path: "src/cli/a.ts", text: `\n\n// FIX${"ME"} later`, says: "src/cli/a.ts:3: unfinished work" },
    { path: "README.md", text: `see /ho${"me/somebody"}`, says: "path of one machine" },
    { path: "src/cli/a.ts", text: "export default 1;", says: "default export" },
    { path: "test/unit/a.test.ts", text: `it.on${"ly"}('x', f);`, says: "focused" },
    { path: "test/unit/a.test.ts", text: `await new Promise((done) => setTime${"out"}(done, 50));`, says: "sleep" },
    { path: "test/unit/a.test.ts", text: `import { setTimeout } from "node:timers${"/"}promises";`, says: "sleep" },
  ])("finds $says", ({ path, text, says }) => {
    expect(tidyText(path, text)).toEqual([expect.stringContaining(says)]);
  });

  it.each([
    { path: "src/core/a.ts", text: "x\n".repeat(300) },
    { path: "test/unit/a.test.ts", text: "x\n".repeat(600) },
    { path: "test/unit/a.test.ts", text: "const timer = setTimeout(() => fail(), 5000); // deadline" },
    { path: "test/unit/a.test.ts", text: "setTimeout(fail, 5000); // deadline" },
    { path: "src/core/prototypes.ts", text: "const todo = 'hackney';" },
  ])("leaves $path alone", ({ path, text }) => {
    expect(tidyText(path, text)).toEqual([]);
  });
});
