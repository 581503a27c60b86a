import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import type { Batch } from "../src/batch/batch.ts";
import { builtInModule } from "../src/config/built-in-module.ts";
import { eventSettings } from "../src/config/ethereum/event-plan.ts";
import { EVENT_SETS, type EventSet } from "../src/config/ethereum/event-sets.ts";
import { openLanes } from "../src/sandbox/lane-pool.ts";
import type { Call, Lane, ModuleHandle } from "../src/sandbox/port.ts";
import { openChain } from "../src/sources/chain/open.ts";
import { verifiedBy } from "./chain/ethereumjs.ts";
import { loadPeers, type Peers } from "./chain/peers.ts";
import { type Measured, median, ROOT, rounded, type Tell } from "./harness.ts";

const DATA = join(ROOT, "..", "shared", "data", "ethereum-mainnet");
/** How often a measurement goes through all blocks, so that starting to read weighs little. */
const PASSES = 4;
/** The same for one lane against two: long enough that starting and ending weigh little. */
const LANE_PASSES = 40;

/**
 * Fifteen blocks of mainnet from JSON on disk to the table of their logs, everything verified, on one lane and two; the same checks by
 * EthereumJS; and without verification to the table of ERC-20 transfers, against bare `JSON.parse` over the same bytes.
 */
export async function chainEthereum(rounds: number, tell: Tell): Promise<Measured> {
  const names = (await readdir(DATA).catch(() => [])).filter((name) => /^\d+\.json\.gz$/.test(name)).sort();
  if (names.length === 0) {
    tell(`there are no blocks of Ethereum at ${DATA}`);
    return { metrics: {}, notes: {} };
  }
  const folder = await mkdtemp(join(tmpdir(), "ipdm-bench-"));
  const [one, two] = [openLanes({ lanes: 1 }), openLanes({ lanes: 2 })];
  try {
    const paths = await unpack(folder, names);
    const [alone, pair] = [await pipelines(one), await pipelines(two)];
    // Before there is anything in memory that is not ours.
    const lanes = await laneRatios(alone.full, pair.full, paths, rounds);
    const work = { paths, peers: loadPeers(), one: alone };
    if (work.peers === undefined) tell("EthereumJS is not installed: npm install --prefix bench");
    await round(work, 1);
    const measured: Times[] = [];
    for (let i = 1; i <= rounds; i++) {
      measured.push(await round(work, PASSES));
      tell(`round ${i} of ${rounds}: ${(measured.at(-1)?.full ?? 0).toFixed(2)} ms a block in full`);
    }
    return report(measured, measured[0]?.logs ?? 0, lanes);
  } finally {
    await Promise.all([one.close(), two.close()]);
    await rm(folder, { recursive: true, force: true });
  }
}

/** Milliseconds a block of each way; logs of a block on average. */
interface Times {
  readonly full: number;
  readonly none: number;
  readonly bare: number;
  readonly peer: number;
  readonly logs: number;
}

interface Work {
  readonly paths: readonly string[];
  readonly peers: Peers | undefined;
  readonly one: Pipelines;
}

interface Pipelines {
  readonly full: ModuleHandle;
  readonly none: ModuleHandle;
  readonly events: ModuleHandle;
}

/** How many times as fast two lanes are as one, in each round: one stream of all passes over batches in memory, everything verified. */
async function laneRatios(
  one: ModuleHandle,
  two: ModuleHandle,
  paths: readonly string[],
  rounds: number,
): Promise<readonly number[]> {
  const batches = await batchesOf(paths);
  const all = Array.from({ length: LANE_PASSES }, () => batches).flat();
  const timed = async (module: ModuleHandle): Promise<number> => {
    const start = performance.now();
    await rowsOf(through(module, all));
    return performance.now() - start;
  };
  await timed(one);
  await timed(two);
  const ratios: number[] = [];
  for (let i = 0; i < rounds; i++) ratios.push((await timed(one)) / (await timed(two)));
  return ratios;
}

async function round({ paths, peers, one }: Work, passes: number): Promise<Times> {
  const blocks = paths.length * passes;
  let logs = 0;
  const timed = async (work: () => Promise<unknown>, times = passes): Promise<number> => {
    const start = performance.now();
    for (let pass = 0; pass < times; pass++) await work();
    return (performance.now() - start) / (paths.length * times);
  };
  const full = await timed(async () => {
    logs += await rowsThrough([one.full], paths);
  });
  const none = await timed(() => rowsThrough([one.none, one.events], paths));
  const bare = await timed(async () => {
    for (const path of paths) JSON.parse(await readFile(path, "utf8"));
  });
  const peer = peers === undefined ? 0 : await timed(() => verifiedBy(peers, paths), 1);
  return { full, none, bare, peer, logs: logs / blocks };
}

/** Reads the blocks from disk and sends them through modules one after the other; counts the rows that come out. */
async function rowsThrough(modules: readonly ModuleHandle[], paths: readonly string[]): Promise<number> {
  const spec = { kind: "ethereum", places: paths, chain: null, from: null, to: null, anchor: null } as const;
  await using source = await openChain(spec, { worker: false });
  let batches: AsyncIterable<Batch> = source.batches({ batchRows: 4096 });
  for (const module of modules) batches = through(module, batches);
  return await rowsOf(batches);
}

async function batchesOf(paths: readonly string[]): Promise<readonly Batch[]> {
  const spec = { kind: "ethereum", places: paths, chain: null, from: null, to: null, anchor: null } as const;
  await using source = await openChain(spec, { worker: false });
  const batches: Batch[] = [];
  for await (const batch of source.batches({ batchRows: 4096 })) batches.push(batch);
  return batches;
}

async function rowsOf(batches: AsyncIterable<Batch>): Promise<number> {
  let rows = 0;
  for await (const batch of batches) rows += batch.rows;
  return rows;
}

async function* through(module: ModuleHandle, batches: AsyncIterable<Batch> | Iterable<Batch>): AsyncGenerator<Batch> {
  const seed = new Uint8Array(32);
  async function* calls(): AsyncGenerator<Call> {
    for await (const batch of batches) yield { batch, context: { firstRow: 0, seed } };
  }
  for await (const { batch } of module.processAll(calls())) yield batch;
}

async function pipelines(lane: Lane): Promise<Pipelines> {
  const events = eventSettings(EVENT_SETS["erc20"] as EventSet, { where: {}, columns: {} });
  return {
    full: await load(lane, "ipdm:ethereum", { table: "logs", verify: "full" }),
    none: await load(lane, "ipdm:ethereum", { table: "logs", verify: "none" }),
    events: await load(lane, "ipdm:ethereum-events", events),
  };
}

async function load(lane: Lane, name: string, settings: Readonly<Record<string, string>>): Promise<ModuleHandle> {
  const module = builtInModule(name);
  if (module === undefined) throw new Error(`no module ${name}`);
  const { file, policy, abi } = module;
  const bytes = new Uint8Array(await readFile(file.path));
  const options = { entry: null, settings };
  return lane.load({ ...policy, bytes, cid: name, abi, kind: "rows", columns: null, timeoutMs: 60_000, options });
}

async function unpack(folder: string, names: readonly string[]): Promise<readonly string[]> {
  await mkdir(folder, { recursive: true });
  return Promise.all(
    names.map(async (name) => {
      const path = join(folder, name.replace(/\.gz$/, ""));
      await writeFile(path, gunzipSync(await readFile(join(DATA, name))));
      return path;
    }),
  );
}

function report(measured: readonly Times[], logs: number, lanes: readonly number[]): Measured {
  const of = (pick: (times: Times) => number): number => rounded(median(measured.map(pick)));
  const hasPeer = measured.every(({ peer }) => peer > 0);
  return {
    metrics: {
      eth_none_vs_jsonparse: of(({ bare, none }) => bare / none),
      ...(hasPeer ? { eth_vs_ethereumjs: of(({ peer, full }) => peer / full) } : {}),
      eth_two_lanes: rounded(median([...lanes])),
      eth_full_blocks_s: of(({ full }) => 1000 / full),
      eth_full_logs_s: of(({ full }) => (1000 / full) * logs),
      eth_none_ms: of(({ none }) => none),
      eth_jsonparse_ms: of(({ bare }) => bare),
    },
    notes: {
      eth_none_vs_jsonparse:
        "to the table of ERC-20 transfers without verification, as a part of the speed of readFile and JSON.parse",
      eth_vs_ethereumjs:
        "how many times faster than @ethereumjs/mpt, tx and block, for the same checks from the same files",
      eth_two_lanes:
        "blocks a second on two lanes, times those on one, from batches in memory: reading has a thread of its own",
      eth_full_blocks_s: "one lane, JSON on disk to the table of logs: header, transactions, receipts, blooms",
      eth_full_logs_s: "the same in logs",
    },
  };
}
