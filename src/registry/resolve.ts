import { resolve } from "node:path";
import type { Config } from "../config/config.ts";
import { isReference, type ModuleReference, readReference } from "../config/module-reference.ts";
import { IpdmError, located } from "../core/errors.ts";
import type { Log } from "../core/ports.ts";
import type { CataloguedModule } from "../plan/plan.ts";
import { CATALOGUE_FOLDER, type Catalogue } from "./catalogue.ts";
import { openCatalogue } from "./catalogue-lease.ts";
import { isolationFor } from "./own-key.ts";
import { syncFromAddress } from "./peers.ts";

/** Where a run's catalogue is: the folder given, else the configuration's, else that of the working folder. */
export function catalogueFolder(config: Config, folder: string | undefined): string {
  return resolve(folder ?? config.catalogue?.folder ?? CATALOGUE_FOLDER);
}

/** How long a peer may take to give what a run's tasks name, in milliseconds. */
const PEER_TIMEOUT_MS = 60_000;

/** How a run looks up its modules. */
export interface ResolveOptions {
  /** The catalogue's folder; the configuration's, else that of the working folder, by default. */
  readonly folder?: string | undefined;
  readonly log: Log;
  readonly signal: AbortSignal;
  /** Told of each peer that did not help, and of what it has and this catalogue does not take. */
  readonly onPeer: (error: { readonly code: string; readonly message: string }, address: string) => void;
}

/**
 * Looks up the modules that a configuration's tasks take from its catalogue: each reference once, at its highest version that
 * fits now, after the peers that the configuration names were asked for it. Nothing is opened where no task asks for one. A peer that fails
 * does not matter while the catalogue has what fits. Throws `CATALOGUE_MISSING`, `MODULE_UNKNOWN`, `MODULE_VERSION_NONE`,
 * `CATALOGUE_CORRUPT`, `DATA_DIR_IN_USE`, with `where` naming the task, and what the asking came to where nothing fits without it.
 */
export async function resolveModules(
  config: Config,
  options: ResolveOptions,
): Promise<ReadonlyMap<string, CataloguedModule>> {
  const found = new Map<string, CataloguedModule>();
  const tasks = config.tasks.flatMap((task) => (task.kind === "module" && isReference(task.module) ? [task] : []));
  const [first] = tasks;
  if (first === undefined) return found;
  const peers = config.catalogue?.peers ?? [];
  const path = catalogueFolder(config, options.folder);
  await using catalogue = await located(`tasks.${first.name}`, () => openCatalogue(path, { create: peers.length > 0 }));
  const wanted = [...new Set(tasks.map(({ module }) => module))].map(readReference);
  const failed = await askPeers(catalogue, peers, wanted, options);
  for (const { name, module } of tasks) {
    if (found.has(module)) continue;
    const get = (): Promise<CataloguedModule> =>
      catalogue.resolve(readReference(module)).catch((error: unknown) => {
        // What is missing may be what the peer has that did not answer.
        throw isMissing(error) && failed !== undefined ? failed : error;
      });
    const resolved = await located(`tasks.${name}.module`, get);
    found.set(module, { ...resolved, isolation: await isolationFor(path, resolved.entry.publisher) });
  }
  return found;
}

/** Takes from each peer what is wanted. Returns the first failure. */
async function askPeers(
  catalogue: Catalogue,
  peers: readonly string[],
  wanted: readonly ModuleReference[],
  { log, signal, onPeer }: ResolveOptions,
): Promise<unknown> {
  let failed: unknown;
  for (const address of peers) {
    try {
      const report = await syncFromAddress(catalogue, address, { log, signal, wanted, timeoutMs: PEER_TIMEOUT_MS });
      for (const { name, version, code, message } of report.refused)
        onPeer({ code, message: `${name}@${version} of ${address} was not taken: ${message}` }, address);
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof IpdmError) || error.code === "ADDRESS_INVALID") throw error;
      onPeer(error, address);
      failed ??= error;
    }
  }
  return failed;
}

function isMissing(error: unknown): boolean {
  return error instanceof IpdmError && (error.code === "MODULE_UNKNOWN" || error.code === "MODULE_VERSION_NONE");
}
