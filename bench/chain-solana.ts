import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import type { Batch } from "../src/batch/batch.ts";
import { builtInModule } from "../src/config/built-in-module.ts";
import { openLanes } from "../src/sandbox/lane-pool.ts";
import type { Lane, ModuleHandle } from "../src/sandbox/port.ts";
import { openChain } from "../src/sources/chain/open.ts";
import { type Measured, median, ROOT, rounded, type Tell } from "./harness.ts";

const BLOCK = join(ROOT, "..", "shared", "data", "solana", "332254855.getBlock.json.gz");
/** Blocks that are under way on two lanes, two each; and how often a round makes the short measurements. */
const BLOCKS = 4;
const TURNS = 7;
const CONTEXT = { firstRow: 0, seed: new Uint8Array(32) };

/**
 * A full block of Solana (1,445 transactions, 1,457 signatures) from JSON on disk to a table of its transactions. With every signature
 * checked: on two lanes. Without: on one lane, against `readFile` and bare `JSON.parse` of the same file.
 */
export async function chainSolana(rounds: number, tell: Tell): Promise<Measured> {
  if (!existsSync(BLOCK)) {
    tell(`there is no block of Solana at ${BLOCK}`);
    return { metrics: {}, notes: {} };
  }
  const folder = await mkdtemp(join(tmpdir(), "ipdm-bench-"));
  const lanes = openLanes({ lanes: 2 });
  const one = openLanes({ lanes: 1 });
  try {
    const path = join(folder, "332254855.json");
    await writeFile(path, gunzipSync(await readFile(BLOCK)));
    const full = await loadModule(lanes, "full");
    // In a pool of its own: a module whose calls are long leaves a lane to another that is at work.
    const none = await loadModule(one, "none");
    await fromDisk(full, path);
    const times: Times = { single: [], several: [], none: [], bare: [] };
    for (let round = 1; round <= rounds; round++) {
      times.single.push(await timed(() => fromDisk(full, path)));
      const several = Array.from({ length: BLOCKS }, () => () => fromDisk(full, path));
      times.several.push((await timed(() => Promise.all(several.map((work) => work())))) / BLOCKS);
      // Each a few times in a row: what one leaves to be collected is not to be collected in the time of the other.
      for (let turn = 0; turn < TURNS; turn++) times.none.push(await timed(() => fromDisk(none, path)));
      for (let turn = 0; turn < TURNS; turn++)
        times.bare.push(await timed(async () => void JSON.parse(await readFile(path, "utf8"))));
      tell(`round ${round} of ${rounds}: ${(times.single.at(-1) ?? 0).toFixed(0)} ms with every signature checked`);
    }
    return summary(times);
  } finally {
    await lanes.close();
    await one.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Milliseconds of each measurement. */
type Times = Readonly<Record<"single" | "several" | "none" | "bare", number[]>>;

function summary(times: Times): Measured {
  const middle = (name: keyof Times): number => median(times[name]);
  return {
    metrics: {
      sol_none_vs_jsonparse: rounded(middle("bare") / middle("none")),
      sol_full_ms: rounded(middle("single")),
      sol_full_each_ms: rounded(middle("several")),
      sol_none_ms: rounded(middle("none")),
      sol_jsonparse_ms: rounded(middle("bare")),
    },
    notes: {
      sol_none_vs_jsonparse:
        "from a file to a table without verification, by way of a lane, as a part of the speed of readFile and JSON.parse",
      sol_full_ms: "a block from a file, 1,457 signatures: it is one row, so one of the two lanes has it",
      sol_full_each_ms: `${BLOCKS} blocks at once on two lanes, for each`,
    },
  };
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

async function fromDisk(module: ModuleHandle, path: string): Promise<Batch> {
  return module.process(await blockOf(path), CONTEXT);
}

async function blockOf(path: string): Promise<Batch> {
  const spec = { kind: "solana", places: [path], from: null, to: null, anchor: null, chain: null } as const;
  await using source = await openChain(spec, { worker: false });
  for await (const batch of source.batches({ batchRows: 1 })) return batch;
  throw new Error(`${path} holds no block`);
}

async function loadModule(lanes: Lane, verify: string): Promise<ModuleHandle> {
  const module = builtInModule("ipdm:solana");
  if (module === undefined) throw new Error("the runtime comes without ipdm:solana");
  return lanes.load({
    ...module.policy,
    bytes: new Uint8Array(await readFile(module.file.path)),
    cid: "ipdm:solana",
    abi: "ipdm/1",
    kind: "rows",
    columns: null,
    timeoutMs: 60_000,
    options: { entry: null, settings: { table: "transactions", verify } },
  });
}
