import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CATALOGUE } from "../../../machines/registry.ts";
import type { ModuleEntry } from "../../../src/consensus/module-entry.ts";
import { cborBlock, rawBlock } from "../../../src/dag/block.ts";
import { encodeCar } from "../../../src/dag/car.ts";
import { LevelStore } from "../../../src/journal/level-store.ts";
import { MemoryHub } from "../../../src/network/memory-network.ts";
import { quietLog, sha256 } from "../../../src/node.ts";
import { Catalogue } from "../../../src/registry/catalogue.ts";
import { importModule, moduleCar } from "../../../src/registry/exchange.ts";
import { Kernel } from "../../../src/runtime/kernel.ts";
import { replayJournal } from "../../../src/runtime/replay-journal.ts";
import { entryOf, publisher } from "../../support/catalogue.ts";
import { makeTestFolder, type TestFolder } from "../../support/folder.ts";
import { watBytes, watSource } from "../../support/wat-module.ts";

let folder: TestFolder;
let echo: Uint8Array;
let other: Uint8Array;

beforeAll(async () => {
  folder = await makeTestFolder("catalogue");
  echo = await watBytes(watSource());
  other = await watBytes(watSource({ fields: "(global i32 (i32.const 7))" }));
});
afterAll(() => folder.remove());

const opened = (path = folder.fresh()): Promise<Catalogue> => Catalogue.open(path, { create: true });
const carOf = (entry: ModuleEntry, bytes: Uint8Array, more: Uint8Array[] = []): Uint8Array => {
  const root = cborBlock(sha256, entry);
  return encodeCar(root.cid, [root, rawBlock(sha256, bytes), ...more.map((extra) => rawBlock(sha256, extra))]);
};

describe("a catalogue", () => {
  it("resolves names and ranges to the newest version, and says what there is where nothing fits", async () => {
    await using catalogue = await opened();
    for (const version of ["1.0.0", "1.2.0", "1.10.1", "2.0.0-beta.1"])
      await catalogue.add(entryOf(echo, { version }), echo);
    const version = async (name: string, range: string): Promise<string> =>
      (await catalogue.resolve({ name, range })).entry.version;
    expect(await version("late", "^1.0")).toBe("1.10.1");
    expect(await version("late", "~1.2")).toBe("1.2.0");
    expect(await version("late", "*")).toBe("1.10.1");
    expect(await version("late", "2.0.0-beta.1")).toBe("2.0.0-beta.1");
    await expect(version("late", "^3")).rejects.toMatchObject({
      code: "MODULE_VERSION_NONE",
      kind: "config",
      hint: "there are 2.0.0-beta.1, 1.10.1, 1.2.0, 1.0.0",
    });
    await expect(version("lat", "*")).rejects.toMatchObject({ code: "MODULE_UNKNOWN", hint: "it has late" });
  });

  it("gives a name to its first publisher, and a version to its first contents", async () => {
    await using catalogue = await opened();
    expect(await catalogue.add(entryOf(echo), echo)).toMatchObject({ outcome: "published" });
    expect(await catalogue.add(entryOf(echo), echo)).toMatchObject({ outcome: "present" });
    const changed = catalogue.add(entryOf(other), other);
    await expect(changed).rejects.toMatchObject({ code: "CATALOGUE_VERSION_TAKEN", kind: "conflict" });
    const described = catalogue.add(entryOf(echo, { description: "other words" }), echo);
    await expect(described).rejects.toMatchObject({ code: "CATALOGUE_VERSION_TAKEN" });
    const squatter = catalogue.add(entryOf(other, { version: "9.0.0" }, publisher(2)), other);
    await expect(squatter).rejects.toMatchObject({ code: "CATALOGUE_NAME_TAKEN", kind: "conflict" });
    expect(catalogue.size).toBe(1);
    // What was refused is not served either.
    expect(await catalogue.find(rawBlock(sha256, other).cid)).toBeUndefined();
  });

  it("takes no entry more than it holds, keeps nothing of it, and still knows those that it has", async () => {
    const path = folder.fresh();
    await using catalogue = await Catalogue.open(path, { create: true, entriesMax: 1 });
    await catalogue.add(entryOf(echo), echo);
    const second = entryOf(other, { version: "2.0.0" });
    await expect(catalogue.add(second, other)).rejects.toMatchObject({ code: "CATALOGUE_FULL", where: path });
    await expect(importModule(catalogue, carOf(second, other))).rejects.toMatchObject({ code: "CATALOGUE_FULL" });
    expect(catalogue.size).toBe(1);
    expect(await catalogue.blocks.has(rawBlock(sha256, other).cid)).toBe(false);
    expect(await catalogue.add(entryOf(echo), echo)).toMatchObject({ outcome: "present" });
  });

  it("is there again when it is opened again, and is open once at a time", async () => {
    const path = folder.fresh();
    {
      await using catalogue = await opened(path);
      await catalogue.add(entryOf(echo), echo);
      await catalogue.add(entryOf(other, { version: "1.1.0" }), other);
      await expect(Catalogue.open(path)).rejects.toMatchObject({ code: "DATA_DIR_IN_USE" });
    }
    await using again = await Catalogue.open(path);
    expect(again.records().map(({ seq, version }) => [seq, version])).toEqual([
      [0, "1.0.0"],
      [1, "1.1.0"],
    ]);
    expect((await again.resolve({ name: "late", range: "^1" })).moduleBlock.bytes).toEqual(other);
    await expect(Catalogue.open(folder.fresh())).rejects.toMatchObject({ code: "CATALOGUE_MISSING" });
  });

  it("finishes an entry whose process died at any point of it", async () => {
    // The journal of a process that died: the entry was submitted, and what it asked for was never answered.
    for (const stopsAt of ["look", "record"]) {
      const path = folder.fresh();
      const store = await LevelStore.open({ path: join(path, "store"), hash: sha256 });
      const entry = entryOf(echo);
      await store.blocks.putAll([rawBlock(sha256, echo), cborBlock(sha256, entry)]);
      const { CatalogueEffects } = await import("../../../actors/catalogue/actor.ts");
      const ports = { blocks: store.blocks, hash: sha256, verify: () => true };
      const hangs = () => new Promise<never>(() => {});
      const kernel = new Kernel(store, { hash: sha256, log: quietLog });
      const effects = { ...new CatalogueEffects(ports).effects, [stopsAt]: hangs };
      const actor = await kernel.spawn({
        id: "catalogue",
        machine: CATALOGUE,
        input: { catalogue: "catalogue" },
        effects,
      });
      await actor.send({ type: "submitted", entry: cborBlock(sha256, entry).cid });
      const state = stopsAt === "look" ? "deciding" : "recording";
      await actor.until((found) => found.value === state);
      await kernel.close();
      await store.close();
      await using catalogue = await Catalogue.open(path);
      expect(catalogue.records().map(({ version }) => version)).toEqual(["1.0.0"]);
      expect(await catalogue.add(entry, echo)).toMatchObject({ outcome: "present" });
    }
  });

  it("has a journal that replays", async () => {
    const path = folder.fresh();
    {
      await using catalogue = await opened(path);
      await catalogue.add(entryOf(echo), echo);
      await catalogue.add(entryOf(echo), echo);
    }
    await using store = await LevelStore.open({ path: join(path, "store"), hash: sha256 });
    const blocks = new Map<string, Uint8Array>();
    for await (const { cid, bytes } of store.entries("catalogue")) blocks.set(cid.toString(), bytes);
    const head = (await store.head("catalogue"))?.cid;
    if (head === undefined) throw new Error("the catalogue has no journal");
    const report = replayJournal({
      head,
      block: (cid) => blocks.get(cid.toString()),
      hash: sha256,
      machines: [CATALOGUE],
      actor: "catalogue",
    });
    expect(report.mismatches).toEqual([]);
    expect(report.transitions).toBeGreaterThanOrEqual(5);
  });

  it("serves entries and modules to peers by CID, and nothing else", async () => {
    await using catalogue = await opened();
    const { entryBlock, moduleBlock } = await catalogue.add(entryOf(echo), echo);
    const hub = new MemoryHub();
    await using server = hub.join(publisher(7).publicKey);
    await using client = hub.join(publisher(8).publicKey);
    server.serveBlocks((cid) => catalogue.find(cid));
    const got: Uint8Array[] = [];
    for await (const block of client.fetchBlocks(server.self, [entryBlock.cid, moduleBlock.cid])) got.push(block.bytes);
    expect(got).toEqual([entryBlock.bytes, moduleBlock.bytes]);
    expect(await catalogue.find(rawBlock(sha256, other).cid)).toBeUndefined();
  });
});

describe("an import", () => {
  it("takes what another catalogue exports, byte for byte", async () => {
    await using first = await opened();
    await using second = await opened();
    const car = moduleCar(await first.add(entryOf(echo), echo));
    expect(await importModule(second, car)).toMatchObject({ outcome: "published" });
    expect(await importModule(second, car)).toMatchObject({ outcome: "present" });
    expect(moduleCar(await second.resolve({ name: "late", range: "1.0.0" }))).toEqual(car);
  });

  it("refuses every file that is not what its publisher signed, and keeps nothing of it", async () => {
    const path = folder.fresh();
    await using catalogue = await opened(path);
    const good = entryOf(echo);
    const hostile = await watBytes(`(module (import "env" "steal" (func)) (memory (export "memory") 1))`);
    const flipped = (at: number): Uint8Array => {
      const car = Uint8Array.from(carOf(good, echo));
      car[at] = (car[at] as number) ^ 1;
      return car;
    };
    const cases: [string, Uint8Array, string][] = [
      ["a byte of the module", flipped(carOf(good, echo).length - 1), "DAG_CID_MISMATCH"],
      ["a byte of the entry", flipped(120), "DAG_CID_MISMATCH"],
      ["no CAR", echo, "CAR_MALFORMED"],
      ["no module", encodeCar(cborBlock(sha256, good).cid, [cborBlock(sha256, good)]), "CAR_LINK_MISSING"],
      ["a block that nothing names", carOf(good, echo, [other]), "CAR_UNREFERENCED_BLOCK"],
      ["a module as its root", encodeCar(rawBlock(sha256, echo).cid, [rawBlock(sha256, echo)]), "MODULE_ENTRY_INVALID"],
      ["another's signature", carOf({ ...good, publisher: publisher(2).publicKey }, echo), "MODULE_SIGNATURE"],
      ["a changed description", carOf({ ...good, description: "better" }, echo), "MODULE_SIGNATURE"],
      [
        "an entry of another module",
        carOf({ ...good, module: rawBlock(sha256, other).cid }, other),
        "MODULE_SIGNATURE",
      ],
      ["a lie about its size", carOf(entryOf(echo, { bytes: 3 }), echo), "MODULE_ENTRY_INVALID"],
      [
        "more fuel than there is",
        carOf(entryOf(echo, { limits: { ...good.limits, fuelPerCall: 1e15 } }), echo),
        "MODULE_ENTRY_INVALID",
      ],
      ["a unit of no rows", carOf(entryOf(echo, { unit: 0 }), echo), "MODULE_ENTRY_INVALID"],
      ["an unknown ABI", carOf(entryOf(echo, { abi: "ipdm/9" }), echo), "MODULE_ABI_UNKNOWN"],
      ["an unknown capability", carOf(entryOf(echo, { capabilities: ["disk"] }), echo), "MODULE_ABI_UNKNOWN"],
      ["a module that imports what it may not", carOf(entryOf(hostile), hostile), "MODULE_IMPORT_DENIED"],
      ["a module that is none", carOf(entryOf(Uint8Array.of(1, 2)), Uint8Array.of(1, 2)), "MODULE_NOT_WASM"],
      ["a version that is none", carOf({ ...good, version: "1.0" }, echo), "NODE_MALFORMED"],
      ["a version with build metadata", carOf({ ...good, version: "1.0.0+a" }, echo), "NODE_MALFORMED"],
      ["a name that is a path", carOf({ ...good, name: "../late" }, echo), "NODE_MALFORMED"],
      ["a further key", carOf({ ...good, more: 1 } as ModuleEntry, echo), "NODE_MALFORMED"],
    ];
    for (const [what, car, code] of cases)
      await expect(importModule(catalogue, car), what).rejects.toMatchObject({ code });
    expect(catalogue.size).toBe(0);
    // The name is still free.
    expect(await importModule(catalogue, carOf(good, echo))).toMatchObject({ outcome: "published" });
    const squatted = carOf(entryOf(other, { version: "3.0.0" }, publisher(2)), other);
    await expect(importModule(catalogue, squatted)).rejects.toMatchObject({ code: "CATALOGUE_NAME_TAKEN" });
  });
});
