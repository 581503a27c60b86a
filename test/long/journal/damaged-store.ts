import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { assign, setup } from "xstate";
import { equalBytes } from "../../../src/core/bytes.ts";
import { hasCode } from "../../../src/core/errors.ts";
import { type Block, rawBlock } from "../../../src/dag/block.ts";
import type { LevelStore } from "../../../src/journal/level-store.ts";
import { createRuntime, openStore, type Runtime } from "../../../src/runtime/runtime.ts";
import { sha256 } from "../../contract/journal/store.contract.ts";
import { depot } from "../../simulation/runtime/depot-machine.ts";
import { MEMORY_PLACE } from "../../support/folder.ts";
import { settle, VirtualClock } from "../../support/virtual-clock.ts";

const depotMachine = depot({ ship: async () => ({ type: "shipped" }) });

/** An actor whose entries are too large for LevelDB: they are in a segment. */
const archive = setup({
  types: { context: {} as { readonly size: number }, events: {} as { readonly type: "keep"; readonly text: string } },
  actions: { add: assign({ size: ({ context, event }) => context.size + event.text.length }) },
}).createMachine({ id: "archive", context: { size: 0 }, on: { keep: { actions: "add" } } });

const LARGE = 66_000;
const RAW: readonly Block[] = [40, 300].map((size) => rawBlock(sha256, new Uint8Array(size).fill(size)));

/** How a store came to be: all in logs, in tables too, or with sealed frames. */
export const SHAPES = ["log", "tables", "frames"] as const;

/** A kind of file that a store's data is in. */
export type FileKind = "ahead" | "log" | "table" | "manifest" | "current" | "segment" | "commits";

/** What a reader sees of a store: the text of every actor, and of what wakes them. */
export interface Seen {
  readonly actors: ReadonlyMap<string, string>;
  readonly wakes: string;
}

/** A store on disk, closed, and what is in it. */
export interface DamagedStore {
  readonly dir: string;
  readonly seen: Seen;
}

/** Makes a small store of actors with timers, children, effects and a large entry. */
export async function makeStore(shape: (typeof SHAPES)[number]): Promise<DamagedStore> {
  const dir = await mkdtemp(join(MEMORY_PLACE, "ipdm-damage-"));
  for (let session = 0; session < (shape === "log" ? 1 : 3); session++) {
    await using store = await openStore(dir);
    await using runtime = await actorsOf(store);
    const keeper = await runtime.spawn(archive, { id: "archive" });
    if (session === 0) await keeper.send({ type: "keep", text: "x".repeat(LARGE) });
    for (const id of ["depot-a", "depot-b"]) {
      const actor = await runtime.spawn(depotMachine, { id });
      await actor.send({ type: "wait", n: session, delay: 3_600_000 });
      await actor.ask({ type: "ship", n: session });
      await actor.send({ type: "kid", n: session });
      await actor.children();
    }
    while ((await store.wakes()).some(({ at }) => at === 0)) await settle(); // children are born and told
    await store.blocks.putAll(RAW);
    if (shape === "frames" && session === 2) await store.compact({ sealEntriesMin: 2 });
  }
  const copy = `${dir}-whole`;
  await cp(dir, copy, { recursive: true });
  const { seen, problems } = await look(copy, undefined);
  await rm(copy, { recursive: true });
  if (seen === undefined || problems.length > 0) throw new Error(`a new store is damaged: ${problems.join("; ")}`);
  return { dir, seen };
}

/** The files of a store, with the sizes of what is in them and their kinds. LevelDB's narration and its lock hold no data. */
export async function filesOf(
  dir: string,
): Promise<readonly { readonly path: string; readonly kind: FileKind; readonly size: number }[]> {
  const found: { path: string; kind: FileKind; size: number }[] = [];
  for (const entry of await readdir(join(dir, "store"), { recursive: true, withFileTypes: true })) {
    const kind = kindOf(entry.name);
    if (!entry.isFile() || kind === undefined) continue;
    const path = join(entry.parentPath, entry.name);
    const bytes = await readFile(path);
    // The write-ahead log's files are longer than what is in them.
    const size = kind === "ahead" ? bytes.findLastIndex((byte) => byte !== 0) + 1 : bytes.length;
    found.push({ path: path.slice(dir.length + 1), kind, size });
  }
  return found.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/**
 * Changes one byte in a copy and opens it as a runtime would. `found` says how it was noticed; `problems` what was neither whole nor refused by
 * name.
 */
export async function withFlip(
  { dir, seen }: DamagedStore,
  { path, at, mask }: { readonly path: string; readonly at: number; readonly mask: number },
): Promise<{ readonly found: "open" | "read" | "nothing"; readonly problems: readonly string[] }> {
  const copy = `${dir}-flipped`;
  await cp(dir, copy, { recursive: true });
  try {
    const bytes = await readFile(join(copy, path));
    bytes[at] = (bytes[at] as number) ^ mask;
    await writeFile(join(copy, path), bytes);
    const { refused, seen: now, problems } = await look(copy, seen);
    return { found: now === undefined ? "open" : refused > 0 ? "read" : "nothing", problems };
  } finally {
    await rm(copy, { recursive: true, force: true });
  }
}

async function look(
  dir: string,
  expected: Seen | undefined,
): Promise<{ readonly seen?: Seen; readonly refused: number; readonly problems: readonly string[] }> {
  const problems: string[] = [];
  let store: LevelStore;
  try {
    store = await openStore(dir);
  } catch (error) {
    return { refused: 1, problems: hasCode(error, "JOURNAL_CORRUPT") ? [] : [`open: ${String(error)}`] };
  }
  let refused = 0;
  const refuse = (what: string) => (error: unknown) => {
    refused += 1;
    if (!hasCode(error, "JOURNAL_CORRUPT") && !hasCode(error, "ACTOR_QUARANTINED"))
      problems.push(`${what}: ${String(error)}`);
    return undefined;
  };
  await using _closing = store;
  await using runtime = await actorsOf(store);
  const ids = expected === undefined ? await store.actors() : [...expected.actors.keys()];
  const actors = new Map<string, string>();
  for (const id of ids) {
    const text = await textOf(runtime, store, id).catch(refuse(id));
    if (text !== undefined) actors.set(id, text);
  }
  for (const { cid, bytes } of RAW) {
    const stored = await store.blocks.get(cid).catch(refuse("block"));
    if (stored !== undefined && !equalBytes(stored, bytes)) problems.push(`block ${cid.toString()} is another`);
  }
  const wakes = JSON.stringify(await store.wakes());
  if (expected !== undefined) {
    if (wakes !== expected.wakes) problems.push(`wakes: ${wakes} instead of ${expected.wakes}`);
    for (const [id, text] of actors)
      if (text !== expected.actors.get(id)) problems.push(`${id}: ${text.length} characters, and others than before`);
    const listed = (await store.actors()).join();
    if (listed !== ids.join()) problems.push(`actors: ${listed}`);
  }
  return { seen: { actors, wakes }, refused, problems };
}

/** Every entry of an actor, and the state that its runtime makes of it. */
async function textOf(runtime: Runtime, store: LevelStore, id: string): Promise<string> {
  const cids: string[] = [];
  for await (const { cid } of store.entries(id)) cids.push(cid.toString());
  return JSON.stringify([cids, await runtime.actor(id).snapshot()]);
}

function actorsOf(store: LevelStore): Promise<Runtime> {
  const machines = [depotMachine, archive];
  return createRuntime({ store, machines, clock: new VirtualClock(), entropy: () => 0.5, checkpointEvery: 4 });
}

function kindOf(name: string): FileKind | undefined {
  if (name.endsWith(".log")) return "log";
  if (name.endsWith(".ldb")) return "table";
  if (name.startsWith("MANIFEST-")) return "manifest";
  if (name.endsWith(".seg")) return "segment";
  if (name === "CURRENT") return "current";
  if (name.startsWith("ahead.")) return "ahead";
  return name === "commits" ? "commits" : undefined;
}
