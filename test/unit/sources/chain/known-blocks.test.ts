import { mkdtemp, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ChainSpec } from "../../../../src/sources/chain/kind.ts";
import { KnownBlocks } from "../../../../src/sources/chain/known-blocks.ts";
import { openChain } from "../../../../src/sources/chain/open.ts";
import { madePair } from "../../../support/blocks.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "blocks-"));
});
afterAll(() => rm(folder, { recursive: true }));

describe("known blocks", () => {
  it("are looked for again when files were added, written, replaced, or are others", async () => {
    const spec: ChainSpec = { kind: "ethereum", places: [folder], from: null, to: null, anchor: null, chain: null };
    const known = new KnownBlocks();
    let looked = 0;
    const counted = {
      of: (asked: ChainSpec, find: Parameters<KnownBlocks["of"]>[1]) =>
        known.of(asked, () => {
          looked++;
          return find();
        }),
    } as KnownBlocks;
    const blocks = async (change: Partial<ChainSpec> = {}): Promise<readonly [number, number]> => {
      await using source = await openChain({ ...spec, ...change }, { worker: false, known: counted });
      return [looked, (await source.content()).hashes.length];
    };
    const path = join(folder, "7.json");
    await writeFile(path, madePair(7));
    expect(await blocks()).toEqual([1, 1]);
    expect(await blocks()).toEqual([1, 1]);
    await writeFile(join(folder, "8.json"), madePair(8));
    expect(await blocks()).toEqual([2, 2]);
    expect(await blocks({ to: 7 })).toEqual([3, 1]);
    expect(await blocks()).toEqual([4, 2]);
    const { atime, mtime, size } = await stat(path);
    await utimes(path, atime, new Date(mtime.getTime() + 1));
    expect(await blocks()).toEqual([5, 2]);
    const { mtime: before } = await stat(path);
    // Another file of the same size and time in the place of the first.
    await writeFile(join(folder, "other"), madePair(7, { branch: "b" }));
    await utimes(join(folder, "other"), atime, before);
    await rename(join(folder, "other"), path);
    expect((await stat(path)).size).toBe(size);
    expect(await blocks()).toEqual([6, 2]);
    await rm(join(folder, "8.json"));
    expect(await blocks()).toEqual([7, 1]);
  });

  it("are not kept where looking for them failed", async () => {
    const known = new KnownBlocks();
    const spec: ChainSpec = { kind: "ethereum", places: [], from: null, to: null, anchor: null, chain: null };
    await expect(known.of(spec, () => Promise.reject(new Error("no")))).rejects.toThrow("no");
    const index = {
      files: [],
      blocks: { length: 0, memory: new ArrayBuffer(0), headers: [] },
      chain: null,
      said: null,
      bytes: 0,
    };
    expect(await known.of(spec, () => Promise.resolve(index))).toBe(index);
    await expect(known.of(spec, () => Promise.reject(new Error("no")))).resolves.toBe(index);
  });
});
