import { readReference } from "../../config/module-reference.ts";
import { parseDuration } from "../../core/duration.ts";
import { IpdmError } from "../../core/errors.ts";
import { quietLog } from "../../node.ts";
import type { Catalogue } from "../../registry/catalogue.ts";
import { openCatalogue } from "../../registry/catalogue-lease.ts";
import type { SyncReport } from "../../registry/catalogue-sync.ts";
import { syncFromAddress } from "../../registry/peers.ts";
import type { Terminal } from "../terminal.ts";
import { type CatalogueFlag, catalogueFolder } from "./flags.ts";

/** Longest `--timeout`, in milliseconds: a day. */
const TIMEOUT_MAX_MS = 86_400_000;
/** Versions that were not taken that are shown. */
const REFUSED_SHOWN_MAX = 20;

/** Flags of `module sync`, as the command line gives them. */
export interface SyncFlags extends CatalogueFlag {
  readonly timeout?: string;
}

/** Flags of `module pull`, as the command line gives them. */
export interface PullFlags extends SyncFlags {
  readonly from: string;
}

/** `ipdm-runtime module sync <multiaddr>`: takes all that a served catalogue has and this one does not. */
export async function syncCommand(
  address: string,
  flags: SyncFlags,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<void> {
  const timeoutMs = timeoutOf(flags);
  await using catalogue = await openCatalogue(catalogueFolder(flags), { create: true });
  const report = await syncFromAddress(catalogue, address, { log: quietLog, timeoutMs, signal });
  tell("synced", report, catalogue, terminal);
}

/** `ipdm-runtime module pull <name[@range]>`: takes the newest version that matches from a served catalogue. */
export async function pullCommand(
  module: string,
  flags: PullFlags,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<void> {
  const reference = readReference(module);
  const timeoutMs = timeoutOf(flags);
  await using catalogue = await openCatalogue(catalogueFolder(flags), { create: true });
  const options = { log: quietLog, timeoutMs, signal, wanted: [reference] };
  const report = await syncFromAddress(catalogue, flags.from, options);
  const [refused] = report.refused;
  if (refused !== undefined) {
    const { name, version, code, message } = refused;
    throw new IpdmError(code, `${name}@${version} was not taken: ${message}`, {
      kind: "conflict",
      where: `${name}@${version}`,
      hint: "use another catalogue (--catalogue) for it",
    });
  }
  if (report.added.length + report.present === 0)
    throw new IpdmError("MODULE_UNKNOWN", `the catalogue of ${report.peer} has no ${module}`, {
      kind: "config",
      where: module,
      hint: "`module sync` takes all that it has, and `module list` shows it",
    });
  tell("pulled", report, catalogue, terminal);
}

function tell(event: "synced" | "pulled", report: SyncReport, catalogue: Catalogue, terminal: Terminal): void {
  if (terminal.options.json) {
    terminal.json({ event, ok: true, ...report, catalogue: catalogue.folder });
    return;
  }
  const { peer, records, added, present, refused, bytes } = report;
  for (const { name, version } of added) terminal.print(`added      ${name}@${version}`);
  for (const { name, version, code, message } of refused.slice(0, REFUSED_SHOWN_MAX))
    terminal.print(`not taken  ${name}@${version}: ${code} ${message}`);
  if (refused.length > REFUSED_SHOWN_MAX) terminal.print(`and ${refused.length - REFUSED_SHOWN_MAX} more not taken`);
  terminal.say(
    `${added.length} added to ${catalogue.folder}, ${present} there before, ${refused.length} not taken; ${peer} has ${records}; ${bytes} bytes came`,
  );
}

function timeoutOf({ timeout }: SyncFlags): number | undefined {
  if (timeout === undefined) return undefined;
  const ms = Math.floor(parseDuration(timeout) / 1000);
  if (ms >= 1 && ms <= TIMEOUT_MAX_MS) return ms;
  throw new IpdmError("USAGE", `--timeout takes 1ms to 24h, not ${timeout}`, { kind: "usage" });
}
