import { rm } from "node:fs/promises";
import { afterAll, describe, expect, it } from "vitest";
import { Random } from "../../simulation/actors/random.ts";
import { IS_SOAK, ROTATING_SEED } from "../../support/seed.ts";
import { type DamagedStore, type FileKind, filesOf, makeStore, SHAPES, withFlip } from "./damaged-store.ts";

/** Flips of each kind of file of each store; the soak flips every byte. */
const FLIPS = 15;
/** Of large entries the soak takes a byte out of so many. */
const STRIDE = 61;

const made: DamagedStore[] = [];
afterAll(async () => {
  for (const { dir } of made) await rm(dir, { recursive: true, force: true });
});

describe(`a store with a flipped byte (seed ${ROTATING_SEED})`, () => {
  for (const shape of SHAPES) {
    it(`is refused by name, or its actors are whole, or left alone: in any file, as ${shape}`, async () => {
      const store = await makeStore(shape);
      made.push(store);
      const files = await filesOf(store.dir);
      const kinds: readonly FileKind[] = ["ahead", "commits", "current", "log", "manifest", "segment"];
      expect([...new Set(files.map(({ kind }) => kind))].sort()).toEqual(
        shape === "log" ? kinds : [...kinds, "table"].sort(),
      );
      const found = new Map<string, number>();
      for (const flip of flips(files, new Random(ROTATING_SEED))) {
        const result = await withFlip(store, flip);
        expect({ ...flip, problems: result.problems }).toEqual({ ...flip, problems: [] });
        const key = `${flip.kind} ${result.found}`;
        found.set(key, (found.get(key) ?? 0) + 1);
      }
      // What LevelDB's log holds is in the write-ahead log too, and is brought in again.
      for (const { kind, size } of files)
        if (!["commits", "log", "segment"].includes(kind) && size > 0)
          expect(found.get(`${kind} open`) ?? 0, kind).toBeGreaterThan(5);
      expect(found.get("segment read") ?? 0).toBeGreaterThan(5);
    }, 3_600_000);
  }
});

interface Flip {
  readonly path: string;
  readonly kind: FileKind;
  readonly at: number;
  readonly mask: number;
}

function* flips(files: Awaited<ReturnType<typeof filesOf>>, random: Random): Iterable<Flip> {
  for (const { path, kind, size } of files) {
    if (size === 0) continue;
    const mask = (): number => 1 + random.below(255);
    if (!IS_SOAK) for (let flip = 0; flip < FLIPS; flip++) yield { path, kind, at: random.below(size), mask: mask() };
    else
      for (let at = 0; at < size; at += size > 60_000 ? 1 + random.below(2 * STRIDE) : 1)
        yield { path, kind, at, mask: mask() };
  }
}
