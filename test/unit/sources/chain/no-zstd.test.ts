import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { makeTestFolder, type TestFolder } from "../../../support/folder.ts";

// As in Node.js 22.12 to 22.14.
vi.mock("node:zlib", async (actual) => ({ ...(await actual()), createZstdDecompress: undefined }));

let folder: TestFolder;
beforeAll(async () => {
  folder = await makeTestFolder("no-zstd");
});
afterAll(() => folder.remove());
// Nor does what is loaded here stay for the others.
afterAll(() => void vi.resetModules());

it("says which Node.js can read a file that this one cannot", async () => {
  const file = join(folder.path, "blocks.json.zst");
  await writeFile(file, "any bytes");
  // Files share a process: what another one has loaded does not see that the function is gone.
  vi.resetModules();
  const { openChain } = await import("../../../../src/sources/chain/open.ts");
  const spec = { kind: "ethereum", places: [file], from: null, to: null, anchor: null, chain: null } as const;
  await expect(openChain(spec, { worker: false })).rejects.toMatchObject({ code: "ZSTD_UNSUPPORTED", kind: "config" });
});
