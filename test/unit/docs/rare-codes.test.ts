import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { givenMachines } from "../../../src/audit/actors/given-machines.ts";
import { openExistingStore } from "../../../src/audit/actors/store-folder.ts";
import { schemaOf } from "../../../src/batch/schema.ts";
import { BatchWriter } from "../../../src/batch/writer.ts";
import { signerOf } from "../../../src/node.ts";
import { CatalogueLease } from "../../../src/registry/catalogue-lease.ts";
import { parseHead, signHead } from "../../../src/registry/catalogue-protocol.ts";
import { KERNEL_EVENT } from "../../../src/runtime/kernel-event.ts";
import { Outcomes } from "../../../src/runtime/outcome.ts";
import { KeptRows } from "../../../src/streams/join/kept-rows.ts";
import { makeTestFolder, type TestFolder } from "../../support/folder.ts";

let folder: TestFolder;
beforeAll(async () => {
  folder = await makeTestFolder("rare-codes");
});
afterAll(() => folder.remove());

describe("codes of rare places", () => {
  const code = (name: string): Error => expect.objectContaining({ code: name }) as Error;

  it("of folders and modules that an audit is given", async () => {
    await expect(openExistingStore(folder.path)).rejects.toThrow(code("STORE_MISSING"));
    const module = join(folder.path, "machines.mjs");
    await writeFile(module, "export const nothing = 1;");
    for (const path of [module, join(folder.path, "none.mjs")])
      await expect(givenMachines(path)).rejects.toThrow(code("MACHINES_UNREADABLE"));
  });

  it("of catalogues", async () => {
    const [one, other] = [1, 2].map((byte) => signerOf(new Uint8Array(32).fill(byte)));
    const head = signHead({ head: null, count: 0 }, one as ReturnType<typeof signerOf>);
    expect(parseHead(head, one?.publicKey ?? head).count).toBe(0);
    expect(() => parseHead(head, other?.publicKey ?? head)).toThrow(code("CATALOGUE_HEAD_INVALID"));
    const lease = new CatalogueLease(folder.fresh());
    await lease[Symbol.asyncDispose]();
    await expect(lease.use(() => Promise.resolve())).rejects.toThrow(code("CATALOGUE_CLOSED"));
  });

  it("of requests that failed for good, and of rows that are too many to keep", async () => {
    const outcomes = new Outcomes();
    const settled = outcomes.of("order:1:0");
    outcomes.tell({ type: KERNEL_EVENT.dead, request: "order:1:0", error: { code: "GONE", message: "gone" } });
    await expect(settled).rejects.toThrow(code("EFFECT_DEAD"));
    const schema = schemaOf([{ name: "n", type: "i64", nullable: false }]);
    const writer = new BatchWriter(schema);
    writer.push([1n]);
    const kept = new KeptRows(schema, 1);
    const batch = writer.take();
    kept.add(batch, 0, 0, 0);
    expect(() => kept.add(batch, 0, 0, 0)).toThrow(code("STREAM_STATE_FULL"));
  });
});
