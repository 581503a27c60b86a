import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ClassicLevel } from "classic-level";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { crc32c } from "../../../src/journal/crc32c.ts";
import { checkLevelFiles, checkTable } from "../../../src/journal/level-files.ts";
import { readManifest } from "../../../src/journal/level-manifest.ts";
import { tableProblem } from "../../../src/journal/level-table.ts";
import { unpackSnappy } from "../../../src/journal/snappy.ts";
import { Random } from "../../simulation/actors/random.ts";
import { makeTestFolder, type TestFolder } from "../../support/folder.ts";
import { SEED } from "../../support/seed.ts";

const MAGIC_BYTES = 8;

let folder: TestFolder;
let index: string;
let table: Uint8Array;
let manifest: Uint8Array;
beforeAll(async () => {
  folder = await makeTestFolder("level-files");
  index = folder.fresh();
  // Opened again, LevelDB makes a table of what its log holds.
  for (let session = 0; session < 2; session++) {
    const level = new ClassicLevel(index);
    const values = Array.from({ length: 400 }, (_, at) => `${"again ".repeat(at % 20)}${at * 7919}`);
    await level.batch(values.map((value, at) => ({ type: "put", key: `key ${session} ${at}`, value })));
    await level.close();
  }
  table = await readFile(join(index, await named(/\.ldb$/)));
  manifest = await readFile(join(index, await named(/^MANIFEST/)));
});
afterAll(() => folder.remove());

const named = async (pattern: RegExp): Promise<string> =>
  (await readdir(index)).find((name) => pattern.test(name)) as string;

const flipped = (bytes: Uint8Array, at: number, mask: number): Uint8Array => {
  const other = Uint8Array.from(bytes);
  other[at] = (other[at] as number) ^ mask;
  return other;
};

describe("CRC-32C", () => {
  it("is that of RFC 3720, at every length", () => {
    const ascending = Uint8Array.from({ length: 32 }, (_, at) => at);
    expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
    expect(crc32c(ascending)).toBe(0x46dd794e);
    expect(crc32c(new TextEncoder().encode("123456789"))).toBe(0xe3069283);
    expect(crc32c(new Uint8Array(0))).toBe(0);
  });
});

describe("Snappy", () => {
  it("unpacks copies of every kind, and nothing that is cut", () => {
    // "abcd", then 60 bytes from four back, in each of the three kinds of copies.
    const packed = [
      [64, 12, 97, 98, 99, 100, 0b11101110, 4, 0],
      [15, 12, 97, 98, 99, 100, 0b00011101, 4],
      [64, 12, 97, 98, 99, 100, 0b11101111, 4, 0, 0, 0],
    ].map((bytes) => Uint8Array.from(bytes));
    for (const bytes of packed) {
      const expected = Uint8Array.from({ length: bytes[0] as number }, (_, i) => 97 + (i % 4));
      expect(unpackSnappy(bytes)).toEqual(expected);
      expect(unpackSnappy(bytes.subarray(0, 5))).toBeUndefined();
    }
    expect(unpackSnappy(Uint8Array.of(4, 1, 9, 0))).toBeUndefined();
  });
});

describe("a table of LevelDB", () => {
  it("is whole as it was written, and no byte of it can be changed unseen but the padding of its footer", () => {
    expect(tableProblem(table)).toBeUndefined();
    const random = new Random(SEED);
    let padding = table.length - MAGIC_BYTES;
    while (table[padding - 1] === 0) padding -= 1;
    for (let at = 0; at < table.length; at += at < padding - 100 ? 5 : 1) {
      if (at >= padding && at < table.length - MAGIC_BYTES) continue;
      expect(tableProblem(flipped(table, at, 1 + random.below(255))), `byte ${at}`).toBeDefined();
    }
    for (let size = 0; size < table.length; size += 101) expect(tableProblem(table.subarray(0, size))).toBeDefined();
  });
});

describe("a manifest of LevelDB", () => {
  it("lists the tables, and no byte of it can be changed unseen", () => {
    const read = readManifest(manifest);
    expect(read).toEqual({ tables: [expect.any(Number)] });
    const random = new Random(SEED);
    for (let at = 0; at < manifest.length; at++)
      expect(readManifest(flipped(manifest, at, 1 + random.below(255))), `byte ${at}`).toHaveProperty("problem");
  });

  it("may end where a crash cut it", () => {
    for (let size = 0; size < manifest.length; size++)
      expect(readManifest(manifest.subarray(0, size)), `${size} bytes`).not.toHaveProperty("problem");
  });
});

describe("the files of a LevelDB", () => {
  it("are checked before it opens: a damaged table, a manifest that is gone, a CURRENT that names none", async () => {
    expect(await checkLevelFiles(index)).toEqual([]);
    const name = await named(/\.ldb$/);
    const corrupt = (file: string) => ({ code: "JOURNAL_CORRUPT", facts: { file: `index/${file}` } });
    const broken = async (file: string, bytes: Uint8Array | undefined): Promise<unknown> => {
      const before = await readFile(join(index, file));
      await (bytes === undefined ? rm(join(index, file)) : writeFile(join(index, file), bytes));
      const outcome = await checkLevelFiles(index).catch((error: unknown) => error);
      await writeFile(join(index, file), before);
      return outcome;
    };
    expect(await broken(name, flipped(table, 9, 4))).toMatchObject(corrupt(name));
    const current = await readFile(join(index, "CURRENT"));
    expect(await broken("CURRENT", flipped(current, 3, 1))).toMatchObject(corrupt("CURRENT"));
    expect(await broken("CURRENT", flipped(current, 11, 1))).toMatchObject(corrupt("CURRENT"));
    expect(await broken("CURRENT", undefined)).toMatchObject(corrupt("CURRENT"));
    // What a crash left of a table that was never listed is nobody's business.
    await writeFile(join(index, "999999.ldb"), "half a table");
    expect(await checkLevelFiles(index)).toEqual([]);
    await expect(checkTable(index, "999999.ldb")).rejects.toMatchObject(corrupt("999999.ldb"));
    await checkTable(index, "888888.ldb");
  });
});
