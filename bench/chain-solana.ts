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
/** Blocks that are under way on two lanes, two each. */
const BLOCKS = 4;
const CONTEXT = { firstRow: 0, seed: new Uint8Array(32) };

/** Whether the block of mainnet that this bench reads is there. */
export const hasSolanaBlock: boolean = existsSync(BLOCK);

/**
 * A full block of Solana (1,445 transactions, 1,457 signatures) from JSON on disk to a table of its transactions: found, read, handed to a
 * lane, parsed; with every signature checked, on two lanes; and without, against bare `JSON.parse` over the same bytes.
 */
export async function chainSolana(rounds: number, tell: Tell): Promise<Measured> {
  const folder = await mkdtemp(join(tmpdir(), "ipdm-bench-"));
  const lanes = openLanes({ lanes: 2 });
  try {
    const path = join(folder, "332254855.json");
    await writeFile(path, gunzipSync(await readFile(BLOCK)));
    const full = await loadModule(lanes, "full");
    const none = await loadModule(lanes, "none");
    await call(none, path);
    await call(full, path);
    const single: number[] = [];
    const pairs: number[] = [];
    const plain: number[] = [];
    const bare: number[] = [];
    for (let round = 1; round <= rounds; round++) {
      single.push(await timed(() => call(full, path)));
      pairs.push((await timed(() => Promise.all(Array.from({ length: BLOCKS }, () => call(full, path))))) / BLOCKS);
      for (let turn = 0; turn < 5; turn++) {
        plain.push(await timed(() => call(none, path)));
        bare.push(await timed(async () => void JSON.parse(await readFile(path, "utf8"))));
      }
      tell(`round ${round} of ${rounds}: ${(single.at(-1) ?? 0).toFixed(0)} ms a block with every signature checked`);
    }
    return {
      metrics: {
        sol_none_vs_jsonparse: rounded(median(bare) / median(plain)),
        sol_full_ms: rounded(median(single)),
        sol_full_ms_a_block: rounded(median(pairs)),
        sol_none_ms: rounded(median(plain)),
        sol_jsonparse_ms: rounded(median(bare)),
      },
      notes: {
        sol_none_vs_jsonparse: "transactions without signatures, as a part of the speed of readFile and JSON.parse",
        sol_full_ms: "one block, 1,457 signatures: a block is one row, so one lane has it",
        sol_full_ms_a_block: `${BLOCKS} blocks at once on two lanes, for each`,
      },
    };
  } finally {
    await lanes.close();
    await rm(folder, { recursive: true, force: true });
  }
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

async function call(module: ModuleHandle, path: string): Promise<Batch> {
  const spec = { kind: "solana", places: [path], from: null, to: null, anchor: null, chain: null } as const;
  await using source = await openChain(spec, { worker: false });
  for await (const batch of source.batches({ batchRows: 1 })) return module.process(batch, CONTEXT);
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
