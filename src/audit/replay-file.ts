import { readFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import type { Receipt } from "../../proofs/receipt/contents.ts";
import type { Fault } from "../../proofs/receipt/verdict.ts";
import { MODULE_TIMEOUT_US_MAX } from "../config/limits.ts";
import { IpdmError } from "../core/errors.ts";
import { openLanes } from "../sandbox/lane-pool.ts";
import type { Isolation } from "../sandbox/policy.ts";
import { openData } from "./data-folder.ts";
import { AuditInput } from "./input-data.ts";
import { type ReplayReport, replayReceipt } from "./replay.ts";
import type { GivenModule } from "./replay-runner.ts";
import { verifyReceiptFile } from "./verify-file.ts";

/** How long one call of a module may take when nobody says otherwise, in milliseconds. */
export const REPLAY_TIMEOUT_MS = 60_000;

/** Where a replay finds what a receipt only links. */
export interface ReplayFileOptions {
  /** Data folder of the run; `.data` beside the receipt by default. */
  readonly data?: string | undefined;
  /** Files to read inputs from, by input name. The others come from the data folder. */
  readonly inputs?: Readonly<Record<string, string>> | undefined;
  /** Files of other modules to run, by task name: to see what they would have changed. */
  readonly modules?: Readonly<Record<string, string>> | undefined;
  /**
   * How long one call of a module may take, in milliseconds, 1 to an hour's; {@link REPLAY_TIMEOUT_MS} by default. Time
   * is no part of a result, and a receipt does not tell what the run allowed.
   */
  readonly timeoutMs?: number | undefined;
  /**
   * What separates modules from this process: `process` by default, since a receipt's modules are whoever's made it. It decides
   * nothing of what comes out.
   */
  readonly isolation?: Isolation | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called after each statement. */
  readonly onProgress?: ((statements: number, of: number, rows: number) => void) | undefined;
}

/** What a replay of a file came to. A receipt that does not verify is not replayed: then `fault` says why. */
export type FileReplay =
  | { readonly ok: boolean; readonly fault: undefined; readonly report: ReplayReport }
  | { readonly ok: false; readonly fault: Fault; readonly report: undefined };

/**
 * Verifies a receipt's file, then redoes everything that it claims and compares: transitions, modules, windows, statements and
 * outputs. Nothing is written. Throws `NEEDS_DATA` (kind `unreachable`) with the CID that is nowhere to be had, `MODULE_MISSING`,
 * `TASK_UNKNOWN`, `INPUT_UNKNOWN`, `MODULE_TIMEOUT`, `DATA_DIR_IN_USE`, `USAGE` (a time-out out of range), what
 * {@link verifyReceiptFile} throws, and the signal's reason.
 */
export async function replayReceiptFile(path: string, options: ReplayFileOptions = {}): Promise<FileReplay> {
  const { inputs = {}, timeoutMs = REPLAY_TIMEOUT_MS, onProgress, signal = new AbortController().signal } = options;
  checkTimeout(timeoutMs);
  const modules = new Map<string, GivenModule>();
  for (const [task, file] of Object.entries(options.modules ?? {}))
    modules.set(task, { bytes: await moduleBytes(file), file });
  const { fault, receipt } = await verifyReceiptFile(path);
  if (fault !== undefined || receipt === undefined) {
    const unread = { code: "RECEIPT_MALFORMED", message: "the receipt cannot be read", where: "receipt" };
    return { ok: false, fault: fault ?? unread, report: undefined };
  }
  checkNames(modules, receipt);
  const folder = await openData(
    options.data === undefined ? join(dirname(resolve(path)), ".data") : resolve(options.data),
  );
  const input = new AuditInput(receipt, inputs, folder);
  const lane = openLanes({ isolation: options.isolation ?? "process" });
  try {
    const ports = { receipt, input, lane, modules, timeoutMs, signal };
    const report = await replayReceipt(onProgress === undefined ? ports : { ...ports, onProgress });
    return { ok: report.ok, fault: undefined, report };
  } finally {
    await input.close();
    await lane.close();
    await folder.store?.close();
  }
}

function checkTimeout(ms: number): void {
  if (ms >= 1 && ms <= MODULE_TIMEOUT_US_MAX / 1000) return;
  throw new IpdmError("USAGE", `a module's call may take 1 ms to 1 h, not ${ms} ms`, {
    kind: "usage",
    hint: "give a duration such as 5m",
  });
}

async function moduleBytes(file: string): Promise<Uint8Array> {
  try {
    return new Uint8Array(await readFile(file));
  } catch (cause) {
    throw new IpdmError("MODULE_MISSING", `there is no module at ${file}`, { kind: "config", where: file, cause });
  }
}

function checkNames(modules: ReadonlyMap<string, unknown>, receipt: Receipt): void {
  const tasks = Object.entries(receipt.result.tasks).flatMap(([name, { operator }]) =>
    operator.kind === "module" ? [name] : [],
  );
  const unknown = [...modules.keys()].find((task) => !tasks.includes(task));
  if (unknown === undefined) return;
  throw new IpdmError("TASK_UNKNOWN", `the receipt has no module task ${unknown}`, {
    kind: "usage",
    hint: tasks.length === 0 ? "none of its tasks runs a module" : `its module tasks: ${tasks.join(", ")}`,
  });
}
