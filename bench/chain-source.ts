import { spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execPath } from "node:process";
import { createInterface } from "node:readline";
import { finished } from "node:stream/promises";
import { gunzipSync } from "node:zlib";
import { verifyReceiptFile } from "../src/audit/verify-file.ts";
import { valueEnd } from "../src/sources/chain/json-scan.ts";
import { type Measured, measure, median, ROOT, rounded, type Tell } from "./harness.ts";

const DATA = join(ROOT, "..", "shared", "data", "ethereum-mainnet");
const BIN = join(ROOT, "bin", "ipdm-runtime.js");
const ERC20 = join(ROOT, "examples", "ethereum-erc20", "ipdm.yaml");
/** Blocks of the memory's measurement, of the longest and the shorter runs, and the transactions that each keeps. */
const BLOCKS = [10_000, 5_000, 2_500] as const;
const TRANSACTIONS = 4;

interface Sample {
  readonly block: { number: string; hash: string; parentHash: string; transactions: unknown[] };
  readonly receipts: unknown[];
}

/**
 * Reading blocks: the byte scanner by itself; how soon a run that was killed is at work again, and whether it ends with the same bytes;
 * whether memory grows with the number of blocks, at its peak and in what is live; the size of the receipt of the sample blocks, and how long `verify` takes.
 */
export async function chainSource(rounds: number, tell: Tell): Promise<Measured> {
  const names = (await readdir(DATA).catch(() => [])).filter((name) => /^\d+\.json\.gz$/.test(name)).sort();
  if (names.length === 0) {
    tell(`there are no blocks of Ethereum at ${DATA}`);
    return { metrics: {}, notes: {} };
  }
  const folder = await mkdtemp(join(tmpdir(), "ipdm-bench-"));
  try {
    const texts = await Promise.all(names.map(async (name) => gunzipSync(await readFile(join(DATA, name)))));
    const bytes = texts.reduce((sum, text) => sum + text.length, 0);
    const whole = join(folder, "whole");
    await measure([BIN, "run", ERC20, "--input", `blocks=${DATA}`, "--out", whole, "--json"]);
    const resumed: number[] = [];
    for (let i = 1; i <= rounds; i++) {
      resumed.push(await resume(join(folder, `killed-${i}`), whole));
      tell(`round ${i} of ${rounds}: at work again after ${(resumed.at(-1) ?? 0).toFixed(0)} ms`);
    }
    const receipt = join(whole, "receipt.car");
    const verified = await times(rounds, async () => {
      if (!(await verifyReceiptFile(receipt)).ok) throw new Error("the receipt does not verify");
    });
    const { peaks, liveGrowth } = await memory(folder, texts, tell);
    const [long = 0, half = 0, quarter = 0] = peaks;
    return {
      metrics: {
        chain_memory_growth: rounded(long / half),
        chain_memory_growth_4: rounded(long / quarter),
        chain_live_growth: rounded(liveGrowth),
        receipt_ratio: rounded((await stat(receipt)).size / bytes),
        resume_ms: rounded(median(resumed)),
        verify_ms: rounded(median(verified)),
        chain_memory_mb: rounded(long),
        chain_scan_mb_s: rounded(await scanRate(texts, bytes)),
      },
      notes: {
        chain_memory_growth: `peak memory over ${BLOCKS[0]} blocks to that over ${BLOCKS[1]}`,
        chain_memory_growth_4: `the same to that over ${BLOCKS[2]}, in which what is bounded (slots, buffers, the young generation) is not full yet`,
        chain_live_growth: `live objects of the main thread late in the run over ${BLOCKS[0]} blocks to those early in it`,
        receipt_ratio: "receipt of the sample blocks to their JSON",
        resume_ms: "from the start of the command to the first slot, after kill -9; the tables come out byte for byte",
        verify_ms: "verify of that receipt",
        chain_scan_mb_s: "byte scanner that finds blocks, one thread",
      },
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Kills a run at work and starts it again: milliseconds until it is at work once more. Throws when its table is another one. */
async function resume(out: string, whole: string): Promise<number> {
  const args = [BIN, "run", ERC20, "--input", `blocks=${DATA}`, "--out", out, "--json"];
  await untilRunning(args, "SIGKILL");
  const ms = await untilRunning(args, undefined);
  for (const name of ["transfers.csv", "transfers.parquet", "rejected.csv"]) {
    const [one, other] = await Promise.all([readFile(join(out, name)), readFile(join(whole, name))]);
    if (!one.equals(other)) throw new Error(`${name} comes out differently after a kill`);
  }
  return ms;
}

async function untilRunning(args: readonly string[], signal: NodeJS.Signals | undefined): Promise<number> {
  const start = performance.now();
  const child = spawn(execPath, args, { cwd: ROOT, stdio: ["ignore", "pipe", "ignore"] });
  let ms = 0;
  const ended = new Promise<number | null>((done) => child.on("close", done));
  for await (const line of createInterface({ input: child.stdout })) {
    if (ms > 0 || !line.includes('"phase":"running"')) continue;
    ms = performance.now() - start;
    if (signal !== undefined) child.kill(signal);
  }
  const code = await ended;
  if (signal === undefined && code !== 0) throw new Error(`the run that went on ended with ${code}`);
  return ms;
}

interface Memory {
  /** Peak in MB for each of {@link BLOCKS}. */
  readonly peaks: readonly number[];
  /** Live heap late in the longest run to that early in it. */
  readonly liveGrowth: number;
}

/** Memory over many blocks and over fewer: the samples again and again, cut down, with numbers that go on. */
async function memory(folder: string, texts: readonly Buffer[], tell: Tell): Promise<Memory> {
  const config = join(folder, "memory.yaml");
  const head = "name: memory\nsources:\n  blocks: { ethereum: ./none, verify: none }\n";
  const tasks = "tasks:\n  logs: { input: blocks, table: logs }\n  transfers: { input: logs, events: erc20 }\n";
  await writeFile(config, `${head}${tasks}outputs:\n  table: { input: transfers, file: transfers.csv }\n`);
  const samples = texts.map((text) => JSON.parse(text.toString()) as Sample);
  const peaks: number[] = [];
  let liveGrowth = 0;
  for (const count of BLOCKS) {
    const file = join(folder, `${count}.ndjson`);
    await writeBlocks(file, samples, count);
    const out = join(folder, `memory-${count}`);
    const run = (): string[] => [BIN, "run", config, "--input", `blocks=${file}`, "--out", out, "--json"];
    const { treeMb, seconds } = await measure(run());
    if (count === BLOCKS[0]) {
      await rm(out, { recursive: true });
      liveGrowth = await liveGrowthOf(run(), join(folder, "live"));
    }
    tell(`${count} blocks: ${treeMb.toFixed(0)} MB at most, ${(count / seconds).toFixed(0)} blocks/s`);
    peaks.push(treeMb);
    await rm(out, { recursive: true });
    await rm(file);
  }
  return { peaks, liveGrowth };
}

/** The live heap of a run in its last quarter to that in its second: by then it is at work on blocks. */
async function liveGrowthOf(args: readonly string[], samples: string): Promise<number> {
  process.env["IPDM_BENCH_LIVE"] = samples;
  await measure(["--expose-gc", "--import", join(ROOT, "bench", "chain", "live-heap.ts"), ...args]);
  delete process.env["IPDM_BENCH_LIVE"];
  const live = (await readFile(samples, "utf8")).trim().split("\n").map(Number);
  const quarter = (number: number): number =>
    median(live.slice((number * live.length) >> 2, ((number + 1) * live.length) >> 2));
  return quarter(3) / quarter(1);
}

async function writeBlocks(file: string, samples: readonly Sample[], count: number): Promise<void> {
  const stream = createWriteStream(file);
  const hashOf = (number: number): string => `0x${number.toString(16).padStart(64, "0")}`;
  for (let number = 1; number <= count; number++) {
    const { block, receipts } = samples[number % samples.length] as Sample;
    const [hex, hash] = [`0x${number.toString(16)}`, hashOf(number)];
    const place = { blockNumber: hex, blockHash: hash };
    const own = { ...block, number: hex, hash, parentHash: hashOf(number - 1) };
    const transactions = block.transactions.slice(0, TRANSACTIONS).map((each) => ({ ...(each as object), ...place }));
    const kept = receipts.slice(0, TRANSACTIONS).map((each) => {
      const { logs, ...receipt } = each as { readonly logs: readonly object[] };
      return { ...receipt, ...place, logs: logs.map((log) => ({ ...log, ...place })) };
    });
    if (!stream.write(`${JSON.stringify({ block: { ...own, transactions }, receipts: kept })}\n`))
      await once(stream, "drain");
  }
  stream.end();
  await finished(stream);
}

/** Megabytes a second of the scanner over all blocks. */
async function scanRate(texts: readonly Buffer[], bytes: number): Promise<number> {
  const taken = await times(15, () => {
    for (const text of texts) if (valueEnd(text, 0, text.length) !== text.length) throw new Error("a block has no end");
  });
  return bytes / 1000 / median(taken);
}

async function times(rounds: number, work: () => unknown): Promise<number[]> {
  const taken: number[] = [];
  for (let i = 0; i < rounds; i++) {
    const start = performance.now();
    await work();
    taken.push(performance.now() - start);
  }
  return taken;
}
