import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { codesOf, explainCode } from "../../../src/cli/error-page.ts";
import { PACKAGE_FOLDER } from "../../../src/cli/package-folder.ts";
import { documentedCodes } from "../../../tools/emit-errors.ts";

describe("the page of codes", () => {
  it("is read whole", async () => {
    const page = await readFile(join(PACKAGE_FOLDER, "docs/reference/errors.md"), "utf8");
    expect([...codesOf(page).keys()].sort()).toEqual(documentedCodes(page));
  });

  it("explains a code, however it is written, and suggests the one that is meant", async () => {
    const explained = {
      code: "NEEDS_DATA",
      exit: 4,
      what: expect.any(String) as string,
      todo: expect.any(String) as string,
    };
    expect(await explainCode("needs_data")).toMatchObject(explained);
    expect(await explainCode("EVIDENCE")).toMatchObject({ exit: null });
    await expect(explainCode("NEEDS_DATE")).rejects.toMatchObject({ code: "USAGE", hint: "did you mean NEEDS_DATA?" });
    await expect(explainCode("nothing like it")).rejects.toMatchObject({ code: "USAGE" });
  });
});
