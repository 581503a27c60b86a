import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { givenMachines } from "../../../src/audit/actors/given-machines.ts";
import { listActors, retryActor, showActor } from "../../../src/audit/actors/inspection.ts";
import { replayActor } from "../../../src/audit/actors/replay-actor.ts";
import { openExistingStore } from "../../../src/audit/actors/store-folder.ts";
import { listCommand, retryCommand } from "../../../src/cli/actors/actor-commands.ts";
import { Terminal } from "../../../src/cli/terminal.ts";
import { journalEvents } from "../../../src/runtime/event-stream.ts";
import { createRuntime } from "../../../src/runtime/runtime.ts";
import { collect } from "../../contract/journal/store.contract.ts";
import { BIN, ROOT } from "../../support/command.ts";
import { makeTestFolder, type TestFolder } from "../../support/folder.ts";
import { order } from "../../unit/runtime/order-machine.ts";

const MACHINES = "test/unit/runtime/order-machine.ts";
let folder: TestFolder;
let dir: string;
let inUse: unknown;

beforeAll(async () => {
  folder = await makeTestFolder("actors");
  dir = folder.fresh();
  const run = (): Promise<never> => Promise.reject(new Error("no post"));
  const machine = order({ effects: { mail: { run, retry: { attempts: 2, firstDelayMs: 1, maxDelayMs: 1 } } } });
  await using runtime = await createRuntime({ dir, machines: [machine], checkpointEvery: 4 });
  const actor = await runtime.spawn(machine, { id: "order-1", input: { customer: "ann" } });
  await runtime.spawn(machine, { id: "order-2", input: { customer: "bob" } });
  await actor.send({ type: "pay", amount: 3 });
  for await (const { event } of actor.events()) if (event.type === "ipdm.dead") break;
  inUse = await openExistingStore(dir).catch((error: unknown) => error);
});
afterAll(() => folder.remove());

describe("a store of actors on disk", () => {
  it("lists them, shows one, and lets its dead request be tried again", async () => {
    const machines = await givenMachines(MACHINES);
    {
      await using store = await openExistingStore(dir);
      const listed = await collect(listActors(store));
      expect(listed.map(({ actor, machine }) => [actor, machine])).toEqual([
        ["order-1", "order@1"],
        [expect.stringContaining("order-1/box@"), "parcel@1"],
        ["order-2", "order@1"],
      ]);
      expect(listed[2]?.wake).toBeGreaterThan(Date.now());
      const shown = await showActor(store, machines, "order-1");
      expect(shown.state).toMatchObject({ status: "active", value: "shipping", context: { paid: 3 } });
      const [dead] = shown.open.filter(({ waits }) => waits === "person");
      expect(dead).toMatchObject({ type: "mail", attempts: { failed: 2, error: { message: "no post" } } });
      await expect(retryActor(store, machines, "order-1", "order-1:1:0")).rejects.toMatchObject({
        code: "REQUEST_NOT_DEAD",
      });
      expect(await retryActor(store, machines, "order-1", undefined)).toEqual({
        requests: [dead?.id],
        released: false,
      });
      await expect(showActor(store, machines, "nobody")).rejects.toMatchObject({ code: "ACTOR_UNKNOWN" });
      await expect(showActor(store, await givenMachines(undefined), "order-1")).rejects.toMatchObject({
        code: "MACHINE_VERSION_MISSING",
      });
    }
    await using runtime = await createRuntime({ dir, machines: [order()] });
    const mailed = await runtime.actor("order-1", order()).until(({ context }) => context.mails.length === 1);
    expect(mailed.context.mails).toEqual(["customer"]);
  });

  it("replays one, whole, to an event and from a checkpoint, and reads its events", async () => {
    const machines = await givenMachines(MACHINES);
    await using store = await openExistingStore(dir);
    const whole = await replayActor(store, "order-1", { machines });
    expect(whole).toMatchObject({ actor: "order-1", mismatches: [] });
    expect(whole.states).toBeGreaterThan(0);
    const head = await store.head("order-1");
    const early = await replayActor(store, String(head?.cid), { machines, at: 2 });
    expect(early).toMatchObject({ final: { seq: 2 }, mismatches: [] });
    const checkpoint = (await collect(store.entries("order-1"))).find(({ entry }) => entry.checkpoint !== undefined);
    const at = (checkpoint?.entry.seq ?? 0) + (checkpoint?.entry.events.length ?? 0) - 1;
    const later = await replayActor(store, "order-1", { machines, from: String(at) });
    expect(later.final?.state.equals(whole.final?.state)).toBe(true);
    await expect(replayActor(store, "order-1", { machines, from: "1" })).rejects.toMatchObject({ code: "USAGE" });
    const events = await collect(journalEvents(store, "order-1", 3));
    expect(events[0]?.seq).toBe(3);
    expect(events.at(-1)?.seq).toBe(head?.seq);
  });

  it("is read by the command line", async () => {
    const show = await command("actors", "show", "order-2", "--dir", dir, "--machines", MACHINES, "--json");
    expect(show).toMatchObject([
      {
        event: "actor",
        actor: "order-2",
        machine: "order@1",
        state: { status: "active", value: "open" },
        open: [{ type: "ipdm.after", waits: "time" }],
      },
    ]);
    const [{ head } = {}] = show;
    const [block] = await command("dag", "show", String(head), "--dir", dir, "--json");
    expect(block).toMatchObject({ event: "block", codec: "dag-cbor", data: { actor: "order-2", seq: 1 } });
    const [replayed] = await command(
      "replay",
      String(head),
      "--dir",
      dir,
      "--machines",
      MACHINES,
      "--at",
      "1",
      "--json",
    );
    expect(replayed).toMatchObject({ event: "replayed", ok: true, seq: 1, state: { value: "open" } });
  });

  it("is listed and retried by the command line, as lines of JSON", async () => {
    const lines: object[] = [];
    class Silent extends Terminal {
      override json(value: object): void {
        lines.push(value);
      }
    }
    const terminal = new Silent({ json: true, verbose: false, quiet: true });
    await listCommand({ dir }, terminal);
    expect(lines).toMatchObject([
      { event: "actor", actor: "order-1", machine: "order@1", events: expect.any(Number) },
      { event: "actor", actor: expect.stringContaining("order-1/box@"), machine: "parcel@1" },
      { event: "actor", actor: "order-2", machine: "order@1", wake: expect.any(Number) },
      { event: "actors", actors: 3 },
    ]);
    await retryCommand("order-2", undefined, { dir, machines: MACHINES }, terminal);
    expect(lines.at(-1)).toEqual({ event: "retried", actor: "order-2", requests: [], released: false });
  });

  it("is open in one process at a time", () => {
    expect(inUse).toMatchObject({ code: "DATA_DIR_IN_USE" });
  });

  it("says where there is none, and which file has no machines", async () => {
    await expect(openExistingStore(folder.fresh())).rejects.toMatchObject({ code: "STORE_MISSING" });
    for (const path of ["package.json", "test/no-such.ts", "test/support/seed.ts"])
      await expect(givenMachines(path)).rejects.toMatchObject({ code: "MACHINES_UNREADABLE" });
  });
});

/** Lines of a command's `--json`. */
async function command(...args: readonly string[]): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const env = { ...process.env, IPDM_SOURCE: "1" };
  const { stdout } = await promisify(execFile)(process.execPath, [BIN, ...args], { env, cwd: ROOT });
  return stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
}
