import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseSlot, placeText, type Slot, slotName } from "../../../src/consensus/slot.ts";
import { CODEC, decodeBlock } from "../../../src/dag/block.ts";
import { readCar } from "../../../src/dag/car.ts";
import { sha256 } from "../../../src/node.ts";
import { runConfig } from "../../../src/run/run.ts";
import { audit } from "../../support/audit.ts";
import { ROOT } from "../../support/command.ts";
import { makeTestFolder, type TestFolder } from "../../support/folder.ts";
import { writeSmall } from "../../support/small-flights.ts";
import { watBytes, watSource } from "../../support/wat-module.ts";

const ROWS = 3000;
/** An empty custom section: another module that does the same. */
const SECTION = Uint8Array.of(0, 2, 1, 0x78);

let folder: TestFolder;

beforeAll(async () => {
  folder = await makeTestFolder("edited");
});
afterAll(() => folder.remove());

/** Every slot in a receipt, by its CID. */
async function slotsOf(receipt: string): Promise<Map<string, Slot>> {
  const slots = new Map<string, Slot>();
  for (const { cid, bytes } of readCar(sha256, new Uint8Array(await readFile(receipt))).blocks.values()) {
    if (cid.code !== CODEC.dagCbor) continue;
    const node = decodeBlock({ cid, bytes });
    if (typeof node === "object" && node !== null && "submitter" in node && "stage" in node)
      slots.set(cid.toString(), parseSlot(node));
  }
  return slots;
}

describe("runs of edited configurations in one folder", () => {
  it("sign no two slots for one place, and reuse what is unchanged", { timeout: 60_000 }, async () => {
    const dir = folder.fresh("edited");
    await mkdir(dir);
    const outDir = join(dir, "out");
    const own = join(dir, "own.wasm");
    const original = new Uint8Array(await readFile(join(ROOT, "examples", "flights", "late.wasm")));
    const edits = [
      { reused: [], change: {} },
      { reused: ["delayed"], change: { aggregate: "{ flights: count(), furthest: max(distance) }" } },
      { reused: ["delayed"], change: { prove: 1 } },
      { reused: [], change: { module: own } },
    ];
    await writeFile(own, Uint8Array.of(...original, ...SECTION));
    const slots = new Map<string, Slot>();
    for (const { reused, change } of edits) {
      const configPath = await writeSmall(dir, { rows: ROWS, replicas: 2, ...change });
      const ran = await runConfig({ configPath, outDir });
      expect(ran.reused).toEqual(reused);
      await audit(outDir);
      for (const [cid, slot] of await slotsOf(ran.receipt)) slots.set(cid, slot);
    }
    const all = [...slots.values()];
    expect(new Set(all.map(({ membership }) => membership.toString())).size).toBe(1);
    // The same tasks and numbers, again and again: without the key they would be slots of one place.
    expect(Object.fromEntries([...Map.groupBy(all, slotName)].map(([name, { length }]) => [name, length]))).toEqual({
      "delayed/0": 2,
      "daily/0": 4,
      "$seal/0": 4,
    });
    expect(new Set(all.map(placeText)).size).toBe(all.length);
  });

  it("compute a changed module and what reads it, and say what they reuse", async () => {
    const dir = folder.fresh("middle");
    await mkdir(dir);
    const [outDir, own] = [join(dir, "out"), join(dir, "own.wasm")];
    const original = await watBytes(watSource({ process: "(local.get $batch)" }));
    const configPath = await writeSmall(dir, { rows: ROWS });
    const window = "window: { tumble: 1d }, key: [origin], aggregate: { n: count() } }";
    const text = (await readFile(configPath, "utf8"))
      .replace("modules:\n", `modules:\n  own: { file: ${own} }\n`)
      .replace("input: delayed\n", "input: again\n")
      .replace(
        "  daily:\n",
        `  again: { module: own, input: delayed }\n  side: { input: delayed, ${window}\n  daily:\n`,
      )
      .replace("outputs:\n", "outputs:\n  side: { input: side, file: side.csv }\n");
    await writeFile(configPath, text);
    const runWith = async (module: Uint8Array) => {
      await writeFile(own, module);
      const { reused, computed } = await runConfig({ configPath, outDir });
      return { reused: [...reused].sort(), computed: [...computed].sort() };
    };
    expect(await runWith(original)).toEqual({ reused: [], computed: ["again", "daily", "delayed", "side"] });
    const changed = Uint8Array.of(...original, ...SECTION);
    expect(await runWith(changed)).toEqual({ reused: ["delayed", "side"], computed: ["again", "daily"] });
    expect(await runWith(original)).toEqual({ reused: ["again", "daily", "delayed", "side"], computed: [] });
    await audit(outDir);
  });

  it("seal anew where only the outputs or the name changed", async () => {
    const dir = folder.fresh("renamed");
    await mkdir(dir);
    const outDir = join(dir, "out");
    const configPath = await writeSmall(dir, { rows: ROWS });
    const text = await readFile(configPath, "utf8");
    const slots = new Map<string, Slot>();
    for (const edited of [text, text.replace("table:", "other:"), text.replace("small-flights", "another-name")]) {
      await writeFile(configPath, edited);
      const ran = await runConfig({ configPath, outDir });
      for (const [cid, slot] of await slotsOf(ran.receipt)) slots.set(cid, slot);
    }
    await audit(outDir);
    const all = [...slots.values()];
    expect(all.map(slotName).toSorted()).toEqual(["$seal/0", "$seal/0", "$seal/0", "daily/0", "delayed/0"]);
    expect(new Set(all.map(placeText)).size).toBe(all.length);
  });
});
