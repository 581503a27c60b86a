import { rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { dataFiles, flipBit, onCopy, readAll, writeStore } from "../../integration/journal/damage.ts";
import { randomFrom } from "../../integration/journal/seeded-store.ts";
import { SEED } from "../../support/seed.ts";

describe("LevelStore under damage, at length", () => {
  for (const [seed, compacted] of [
    [SEED, false],
    [SEED + 1, true],
  ] as const) {
    it(`never hands out a wrong entry or wrong bytes after a flipped bit: 150 flips, ${compacted ? "sealed frames, " : ""}seed ${seed}`, async () => {
      const random = randomFrom(seed);
      const written = await writeStore(compacted ? 3 : 1, compacted);
      let noticed = 0;
      try {
        for (let flip = 0; flip < 150; flip++) {
          await onCopy(written, async (folder) => {
            const files = await dataFiles(folder);
            const file = files[Math.floor(random() * files.length)] as string;
            const bit = Math.floor(random() * (await stat(join(folder, file))).size * 8);
            await flipBit(join(folder, file), bit);
            const finding = await readAll(written, folder);
            expect(finding.wrong, `${file} bit ${bit}`).toEqual([]);
            expect(new Set([...finding.codes, "JOURNAL_CORRUPT"]), `${file} bit ${bit}`).toEqual(
              new Set(["JOURNAL_CORRUPT"]),
            );
            if (!finding.whole) noticed += 1;
          });
        }
      } finally {
        await rm(written.folder, { recursive: true, force: true });
      }
      expect(noticed).toBeGreaterThan(50);
    });
  }
});
