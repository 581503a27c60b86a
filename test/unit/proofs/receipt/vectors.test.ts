import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { receiptVectors } from "./receipt-vectors.ts";

it("docs/reference/receipt.md gives the test vectors that the code computes", async () => {
  const page = await readFile(new URL("../../../../docs/reference/receipt.md", import.meta.url), "utf8");
  const vectors = page.slice(page.indexOf("## Test vectors"));
  const written = new Map(
    [...vectors.matchAll(/^ {4}([a-z0-9… ]+?) *= (.+)$/gm)].map(([, name, value]) => [name, value]),
  );
  expect(Object.fromEntries(written)).toEqual(Object.fromEntries(receiptVectors()));
});
