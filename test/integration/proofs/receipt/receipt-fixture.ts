import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadWindowKeys } from "../../../../proofs/groth16/window-keys.ts";
import type { VerifyPorts } from "../../../../proofs/receipt/verify.ts";
import { fromHex } from "../../../../src/core/bytes.ts";
import type { Signer } from "../../../../src/core/ports.ts";
import { sha256, signerOf, verifyEd25519 } from "../../../../src/node.ts";
import { runConfig } from "../../../../src/run/run.ts";

/** The module of the example: flights late by 15 minutes or more, with their hour. */
export const LATE_WASM = new URL("../../../../examples/flights/late.wasm", import.meta.url).pathname;

export const NODES = ["alpha", "bravo", "charlie"] as const;

/** Rows of the fixture's input: at one row a batch, three statements of the first task. */
export const ROWS = 514;
export const BATCH_ROWS = 1;

const ORIGINS = ["ATL", "LAX", "ORD"] as const;
const MINUTE_MS = 60_000;

/** Row `row` of the fixture's input: every eighth flight is late. */
export function flight(row: number): string {
  const at = new Date(Date.UTC(2024, 0, 1) + row * 14 * MINUTE_MS).toISOString().replace(".000Z", "Z");
  const delay = row % 8 === 0 ? 15 + ((row * 37) % 200) : 14 - (row % 30);
  return `${at},${delay},${300 + ((row * 53) % 2000)},${ORIGINS[(row * 7) % 3]}`;
}

/** The fixture's input as CSV; `change` alters its lines, the header being the first. */
export function flightsCsv(change: (lines: string[]) => string[] = (lines) => lines): string {
  return `${change(["date,delay,distance,origin", ...Array.from({ length: ROWS }, (_, row) => flight(row))]).join("\n")}\n`;
}

const CONFIG = `
name: fixture
domain: { id: tests, replicas: 3, quorum: 2, verify: full }
sources:
  flights:
    file: ./flights.csv
    columns: { date: timestamp, delay: i32, distance: i32, origin: utf8 }
    time: { column: date, outOfOrder: 0s }
modules:
  late: { file: ${LATE_WASM}, fuel: { call: 1000000000000 } }
tasks:
  delayed: { module: late, input: flights }
  daily:
    input: delayed
    window: { tumble: 1d, lateness: 0s }
    key: [origin]
    aggregate: { flights: count(), delay: sum(delay), worst: max(delay) }
    prove: { windows: 2 }
outputs:
  table: { input: daily, file: daily.csv }
`;

/** A folder with a finished run in it. */
export interface Fixture extends AsyncDisposable {
  readonly dir: string;
  readonly config: string;
  readonly csv: string;
  readonly out: string;
  readonly receipt: string;
  readonly result: string;
  /** Keys of all members, the submitter first. */
  readonly signers: readonly Signer[];
}

/** Runs the fixture's configuration once: a module and a window stage, two proved windows, three nodes. */
export async function runFixture(
  options: {
    readonly replicas?: number;
    readonly config?: string;
    readonly csv?: string;
    readonly batchRows?: number;
    /** Windows that are proved, 2 by default. Without proofs a run takes a fraction of the time. */
    readonly proved?: 0 | 1 | 2;
  } = {},
): Promise<Fixture> {
  const dir = await mkdtemp(join(tmpdir(), "ipdm-receipt-"));
  const config = join(dir, "ipdm.yaml");
  const csv = join(dir, "flights.csv");
  const out = join(dir, "out");
  await mkdir(out);
  const text = options.config ?? CONFIG;
  const { proved = 2 } = options;
  const prove = "    prove: { windows: 2 }\n";
  await writeFile(config, text.replace(prove, proved === 0 ? "" : prove.replace("2", String(proved))));
  await writeFile(csv, options.csv ?? flightsCsv());
  const replicas = options.replicas ?? NODES.length;
  const { receipt, result } = await runConfig({
    configPath: config,
    outDir: out,
    batchRows: options.batchRows ?? BATCH_ROWS,
    replicas,
  });
  const seeds = await Promise.all(
    NODES.slice(0, replicas).map((name) => readFile(join(out, ".data", name, "key"), "utf8")),
  );
  const signers = seeds.map((seed) => signerOf(fromHex(seed.trim()) as Uint8Array));
  return {
    dir,
    config,
    csv,
    out,
    receipt,
    result,
    signers,
    [Symbol.asyncDispose]: () => rm(dir, { recursive: true, force: true }),
  };
}

/** The same run once more, by the same nodes, in the next epoch. Returns its receipt's bytes. */
export async function runAgain({ config, dir, out }: Fixture): Promise<Uint8Array> {
  const options = {
    configPath: config,
    outDir: join(dir, "again"),
    dataDir: join(out, ".data"),
    batchRows: BATCH_ROWS,
    replicas: NODES.length,
    fresh: true,
  };
  const { receipt } = await runConfig(options);
  return readBytes(receipt);
}

/** Bytes of a file. */
export async function readBytes(path: string): Promise<Uint8Array> {
  return new Uint8Array(await readFile(path));
}

/** What `verify` needs. */
export async function verifyPorts(): Promise<VerifyPorts> {
  return { hash: sha256, verify: verifyEd25519, keys: await loadWindowKeys() };
}
