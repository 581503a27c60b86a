import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CarReader } from "@ipld/car";
import * as dagCbor from "@ipld/dag-cbor";
import { firstValueFrom } from "rxjs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { assign, setup } from "xstate";
import { replayActor, replayJournalFile } from "../../../src/audit/actors/replay-actor.ts";
import { openExistingStore } from "../../../src/audit/actors/store-folder.ts";
import { tailCommand } from "../../../src/cli/actors/tail-command.ts";
import {
  compactCommand,
  exportCommand,
  importCommand,
  verifyCommand,
} from "../../../src/cli/journal/journal-commands.ts";
import { Terminal } from "../../../src/cli/terminal.ts";
import { cborBlock } from "../../../src/dag/block.ts";
import { encodeCar, readCar } from "../../../src/dag/car.ts";
import { sha256 } from "../../../src/node.ts";
import { durable } from "../../../src/runtime/durable-machine.ts";
import { createRuntime } from "../../../src/runtime/runtime.ts";

const counter = setup({
  types: { context: {} as { n: number }, events: {} as { type: "ADD"; by: number } },
}).createMachine({
  id: "counter",
  context: { n: 0 },
  on: { ADD: { actions: assign({ n: ({ context, event }) => context.n + event.by }) } },
});

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ipdm-journal-file-"));
  await count("a", 40, 1);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const at = (name: string): string => join(folder, name);

/** Sends `times` events to the actor `c/1` of the folder, each an entry of its own. */
async function count(name: string, times: number, by: number): Promise<void> {
  await using runtime = await createRuntime({ dir: at(name), machines: [counter], checkpointEvery: 8 });
  const actor = await runtime.spawn(counter, { id: "c/1" });
  for (let event = 0; event < times; event++) await actor.send({ type: "ADD", by });
}

/** Runs a command, and gives the lines of its `--json`. */
async function told(work: (terminal: Terminal) => Promise<number | void>): Promise<Record<string, unknown>[]> {
  const lines: Record<string, unknown>[] = [];
  class Silent extends Terminal {
    override json(value: object): void {
      lines.push(value as Record<string, unknown>);
    }
  }
  const exit = await work(new Silent({ json: true, verbose: false, quiet: true }));
  return [...lines, { exit: exit ?? 0 }];
}

describe("journals as files", () => {
  it("are CAR files that other tools read, each block dag-cbor, the newest entry the root", async () => {
    const [exported] = await told((terminal) =>
      exportCommand("c/1", at("a.car"), { dir: at("a"), sign: true }, terminal),
    );
    expect(exported).toMatchObject({
      event: "exported",
      actor: "c/1",
      entries: 41,
      events: 41,
      from: 1,
      checkpoints: 5,
    });
    const reader = await CarReader.fromBytes(await readFile(at("a.car")));
    const [root] = await reader.getRoots();
    expect(root?.toString()).toBe(exported?.["head"]);
    let blocks = 0;
    for await (const { cid, bytes } of reader.blocks()) {
      expect(cid.code).toBe(dagCbor.code);
      dagCbor.decode(bytes);
      blocks += 1;
    }
    expect(blocks).toBe(41 + 5 * 2 + 1);
    expect(await told((terminal) => verifyCommand([at("a.car")], {}, terminal))).toMatchObject([
      { event: "journal", actor: "c/1", signed: [{ number: 1, seq: 41 }] },
      { event: "verified", ok: true },
      { exit: 0 },
    ]);
  });

  it("are imported where they fit, once, and go on from there", async () => {
    const [imported] = await told((terminal) => importCommand(at("a.car"), { dir: at("b") }, terminal));
    expect(imported).toMatchObject({ event: "imported", added: 41 });
    expect((await told((terminal) => importCommand(at("a.car"), { dir: at("b") }, terminal)))[0]).toMatchObject({
      added: 0,
    });
    await count("b", 3, 1);
    expect((await told((terminal) => importCommand(at("a.car"), { dir: at("b") }, terminal)))[0]).toMatchObject({
      added: 0,
    });
    await told((terminal) => exportCommand("c/1", at("b.car"), { dir: at("b") }, terminal));
    expect((await told((terminal) => verifyCommand([at("a.car"), at("b.car")], {}, terminal))).at(-2)).toEqual({
      event: "verified",
      ok: true,
    });
    await count("other", 3, 2);
    await expect(told((terminal) => importCommand(at("a.car"), { dir: at("other") }, terminal))).rejects.toMatchObject({
      code: "JOURNAL_CONFLICT",
    });
  });

  it("show two histories of one actor, and who signed both", async () => {
    await count("a", 5, 7);
    await told((terminal) => exportCommand("c/1", at("a2.car"), { dir: at("a"), sign: true }, terminal));
    await writeFile(at("b/key"), await readFile(at("a/key")));
    await told((terminal) => exportCommand("c/1", at("b2.car"), { dir: at("b"), sign: true }, terminal));
    const lines = await told((terminal) => verifyCommand([at("b2.car"), at("a2.car")], {}, terminal));
    expect(lines.slice(-2)).toMatchObject([
      { event: "verified", ok: false, code: "JOURNAL_FORK", at: 42, kind: "history" },
      { exit: 5 },
    ]);
    expect(lines.at(-2)).toHaveProperty("signedBy");
    const unsigned = await told((terminal) => verifyCommand([at("b.car"), at("a2.car")], {}, terminal));
    expect(unsigned.at(-2)).not.toHaveProperty("signedBy");
  });

  it("are refused where a bit was changed, or a block is no part of them", async () => {
    const bytes = await readFile(at("a.car"));
    for (let bit = 400; bit < bytes.length * 8; bit += 3001) {
      const damaged = Uint8Array.from(bytes);
      damaged[bit >> 3] = (damaged[bit >> 3] as number) ^ (1 << (bit & 7));
      await writeFile(at("damaged.car"), damaged);
      await expect(told((terminal) => verifyCommand([at("damaged.car")], {}, terminal))).rejects.toHaveProperty("code");
    }
    await expect(told((terminal) => verifyCommand([at("nowhere.car")], {}, terminal))).rejects.toMatchObject({
      code: "JOURNAL_FILE_UNREADABLE",
    });
    await expect(told((terminal) => verifyCommand([], {}, terminal))).rejects.toMatchObject({ code: "USAGE" });
  });

  it("are what compaction archives; the store verifies before and after", async () => {
    const before = readCar(sha256, new Uint8Array(await readFile(at("a2.car"))));
    const compacted = await told((terminal) =>
      compactCommand({ dir: at("a"), keepCheckpoints: "2", archive: at("archive") }, terminal),
    );
    expect(compacted[0]).toMatchObject({ event: "compacted", dropped: 31 });
    const [archive = ""] = await readdir(at("archive"));
    expect((await told((terminal) => verifyCommand([at(`archive/${archive}`)], {}, terminal)))[0]).toMatchObject({
      from: 1,
      to: 31,
    });
    expect(await told((terminal) => verifyCommand([], { dir: at("a") }, terminal))).toMatchObject([
      { event: "journal", actor: "c/1", from: 32, events: 15 },
      { event: "verified", ok: true, journals: 1 },
      { exit: 0 },
    ]);
    await told((terminal) => exportCommand("c/1", at("rest.car"), { dir: at("a") }, terminal));
    expect(readCar(sha256, new Uint8Array(await readFile(at("rest.car")))).root.toString()).toBe(
      before.root.toString(),
    );
    await count("a", 2, 1);
    expect((await told((terminal) => verifyCommand([], { dir: at("a") }, terminal)))[0]).toMatchObject({ events: 17 });
  });

  it("of which the beginning was dropped, say so by name, and are read from where they are kept", async () => {
    const machines = [durable(counter).spec];
    {
      await using runtime = await createRuntime({ dir: at("a"), machines: [counter] });
      const actor = runtime.actor("c/1", counter);
      const archived = { code: "JOURNAL_ARCHIVED", facts: { from: 1, kept: 32 } };
      await expect(firstOf(actor.events())).rejects.toMatchObject(archived);
      await expect(firstValueFrom(actor.events({ from: 1 }))).rejects.toMatchObject(archived);
      expect((await firstOf(actor.events({ from: 32 })))?.seq).toBe(32);
      expect((await actor.snapshot()).context).toEqual({ n: 77 });
    }
    expect((await told((terminal) => tailCommand("c/1", { dir: at("a") }, terminal)))[0]).toMatchObject({ seq: 39 });
    await told((terminal) => compactCommand({ dir: at("a"), keepCheckpoints: "1" }, terminal));
    const tail = await told((terminal) => tailCommand("c/1", { dir: at("a") }, terminal));
    expect(tail[0]).toMatchObject({ event: "event", seq: 48 });
    await using store = await openExistingStore(at("a"));
    await expect(replayActor(store, "c/1", { machines })).rejects.toMatchObject({
      code: "JOURNAL_ARCHIVED",
      facts: { kept: 48, checkpoint: 48 },
    });
    expect(await replayActor(store, "c/1", { machines, from: "48" })).toMatchObject({ mismatches: [], signed: [] });
    await expect(replayActor(store, "c/1", { machines, from: "47" })).rejects.toMatchObject({
      code: "USAGE",
      hint: expect.stringContaining("48"),
    });
  });

  it("are replayed with their signatures, and put together again from archive and rest", async () => {
    const machines = [durable(counter).spec];
    const report = await replayJournalFile(at("a.car"), { machines });
    expect(report).toMatchObject({ mismatches: [], signed: [{ number: 1, seq: 41 }] });
    const { root, blocks } = readCar(sha256, new Uint8Array(await readFile(at("a.car"))));
    const forged = [...blocks.values()].map((block) => {
      const node = dagCbor.decode<Record<string, unknown>>(block.bytes);
      return node["signature"] === undefined ? block : cborBlock(sha256, { ...node, signature: new Uint8Array(64) });
    });
    await writeFile(at("forged.car"), encodeCar(root, forged));
    await expect(replayJournalFile(at("forged.car"), { machines })).rejects.toMatchObject({
      code: "SIGNATURE_INVALID",
    });
    await expect(told((terminal) => importCommand(at("rest.car"), { dir: at("c") }, terminal))).rejects.toMatchObject({
      code: "JOURNAL_CONFLICT",
      hint: expect.stringContaining("first"),
    });
    const [archive = ""] = await readdir(at("archive"));
    for (const [file, added] of [
      [`archive/${archive}`, 31],
      ["rest.car", 15],
    ] as const)
      expect((await told((terminal) => importCommand(at(file), { dir: at("c") }, terminal)))[0]).toMatchObject({
        added,
      });
    await using store = await openExistingStore(at("c"));
    const whole = await replayActor(store, "c/1", { machines, at: 46 });
    expect(whole).toMatchObject({ mismatches: [], entries: 46, state: { context: { n: 75 } } });
  });
});

async function firstOf<T>(events: AsyncIterable<T>): Promise<T | undefined> {
  for await (const event of events) return event;
  return undefined;
}
