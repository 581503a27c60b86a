import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { STREAM_PAGE, streamPage } from "../../../tools/stream-page.ts";

describe("docs/reference/streams.md", () => {
  it("says what the sources' comments say (node tools/emit-streams.ts)", async () => {
    expect(await readFile(STREAM_PAGE, "utf8")).toBe(await streamPage());
  });
});
