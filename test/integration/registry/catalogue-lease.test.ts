import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Catalogue } from "../../../src/registry/catalogue.ts";
import { CatalogueLease } from "../../../src/registry/catalogue-lease.ts";
import { makeTestFolder, type TestFolder } from "../../support/folder.ts";

let folder: TestFolder;
beforeAll(async () => {
  folder = await makeTestFolder("catalogue-lease");
});
afterAll(() => folder.remove());

const sizeOf = async (catalogue: Catalogue): Promise<number> => catalogue.size;

describe("a lease of a catalogue", () => {
  it("opens the folder once for those who use it together, and lets it go", async () => {
    const path = folder.fresh();
    await (await Catalogue.open(path, { create: true })).close();
    await using lease = new CatalogueLease(path);
    const both = await Promise.all([lease.use(async (one) => one), lease.use(async (one) => one)]);
    expect(both[0]).toBe(both[1]);
    await using other = new CatalogueLease(path);
    expect(await other.use(sizeOf)).toBe(0);
  });

  it("tries again where it could not be opened, waits for a use that is under way, and takes none behind its end", async () => {
    const path = folder.fresh();
    const lease = new CatalogueLease(path);
    await expect(lease.use(sizeOf)).rejects.toMatchObject({ code: "CATALOGUE_MISSING" });
    await (await Catalogue.open(path, { create: true })).close();
    const gate = Promise.withResolvers<void>();
    const began = Promise.withResolvers<void>();
    const used = lease.use(async ({ size }) => {
      began.resolve();
      await gate.promise;
      return size;
    });
    await began.promise;
    const ended = lease[Symbol.asyncDispose]();
    await expect(lease.use(sizeOf)).rejects.toMatchObject({ code: "CATALOGUE_CLOSED" });
    gate.resolve();
    expect(await used).toBe(0);
    await ended;
    await (await Catalogue.open(path)).close();
  });
});
