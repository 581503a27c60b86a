import * as dagCbor from "@ipld/dag-cbor";
import type { CID } from "multiformats/cid";
import satisfies from "semver/functions/satisfies.js";
import { entrySigned, type ModuleEntry, operatorOfEntry, parseModuleEntry } from "../../src/consensus/module-entry.ts";
import { takeoverFault, takeoversOf } from "../../src/consensus/module-version.ts";
import { slotName } from "../../src/consensus/slot.ts";
import { equalBytes } from "../../src/core/bytes.ts";
import type { Verify } from "../../src/core/ports.ts";
import { type Block, decodeBlock } from "../../src/dag/block.ts";
import type { Receipt } from "./contents.ts";
import { refuse } from "./verdict.ts";

/** A module that came from a catalogue, as a receipt pins it: checked, with the key that published it. */
export interface ShownLock {
  readonly task: string;
  readonly name: string;
  readonly range: string;
  readonly version: string;
  readonly module: CID;
  readonly entry: CID;
  readonly publisher: Uint8Array;
  /** For a task that takes newer versions as they come: those that took over, and the slot that each ran first. */
  readonly live?: readonly { readonly slot: number; readonly version: string; readonly module: CID }[];
}

/**
 * Checks the modules that a receipt says came from a catalogue: the entry is signed by the publisher it names, it is of that name and
 * version, the version is one that was asked for, and the task's stage runs that module exactly as the entry declares it. Versions that
 * took over on the way are those that the slots run, each one that may follow on the one before; no other task's slots run any. Whose
 * key it is remains the reader's to know. Throws `LOCK_MISMATCH`, `LOCK_SIGNATURE`, `NODE_MALFORMED`.
 */
export function checkLocks(receipt: Receipt, verify: Verify): ShownLock[] {
  const { config, blocks, stages, tasks } = receipt;
  for (const { task, commits } of tasks) {
    if (Object.hasOwn(config.lock, task) && config.lock[task]?.live !== undefined) continue;
    const other = commits.find(({ slot }) => slot.version !== undefined);
    if (other !== undefined)
      refuse("LOCK_MISMATCH", slotName(other.slot), "it runs another version than its stage, and no lock says so");
  }
  return Object.entries(config.lock).map(([task, lock]) => {
    const where = `config/lock/${task}`;
    const block = blocks.get(lock.entry.toString());
    if (block === undefined) return refuse("LOCK_MISMATCH", where, "the entry is not in the receipt");
    const entry = readEntry(block);
    const { name, range, version, module } = lock;
    if (entry.name !== name || entry.version !== version || !entry.module.equals(module))
      refuse("LOCK_MISMATCH", where, `the entry is of ${entry.name}@${entry.version}, not of what is pinned`);
    if (!entrySigned(entry, verify))
      refuse("LOCK_SIGNATURE", where, `${name}@${version} does not carry the signature of its publisher`);
    if (!satisfies(version, range)) refuse("LOCK_MISMATCH", where, `${version} is no version of ${range}`);
    const operator = stages.get(task)?.operator;
    if (operator?.kind !== "module" || !operator.module.equals(module))
      refuse("LOCK_MISMATCH", where, `task ${task} does not run the module that is pinned for it`);
    if (!equalBytes(dagCbor.encode(operator), dagCbor.encode(operatorOfEntry(entry, operator.time))))
      refuse("LOCK_MISMATCH", where, `task ${task} runs ${name}@${version} otherwise than its entry declares`);
    if (lock.live !== undefined) checkTakeovers(receipt, task, entry, verify);
    const { live, ...pinned } = lock;
    const taken = live?.map(({ slot, version: newer, module: cid }) => ({ slot, version: newer, module: cid }));
    return { task, ...pinned, publisher: entry.publisher, ...(taken && { live: taken }) };
  });
}

/** The versions that a lock lists are those that the task's slots run, and each may take over where it does. */
function checkTakeovers({ config, tasks, entries }: Receipt, task: string, first: ModuleEntry, verify: Verify): void {
  const lock = config.lock[task];
  const listed = lock?.live ?? [];
  const taken = takeoversOf(tasks.find((shown) => shown.task === task)?.commits.map(({ slot }) => slot) ?? []);
  const where = `config/lock/${task}/live`;
  if (lock === undefined || typeof taken === "string") return refuse("LOCK_MISMATCH", where, String(taken));
  if (taken.length !== listed.length)
    refuse("LOCK_MISMATCH", where, `it lists ${listed.length} versions, and ${taken.length} took over`);
  let now = first;
  for (const [i, { seq, version }] of taken.entries()) {
    const pinned = listed[i];
    const entry = entries.get(version.toString());
    const same =
      pinned !== undefined &&
      entry !== undefined &&
      pinned.slot === seq &&
      pinned.entry.equals(version) &&
      pinned.version === entry.version &&
      pinned.module.equals(entry.module);
    if (!same)
      return refuse("LOCK_MISMATCH", `${where}/${i}`, `it is not the version that ${task}/${seq} begins to run`);
    const fault = takeoverFault(now, entry, lock, verify);
    if (fault !== undefined)
      refuse("LOCK_MISMATCH", `${where}/${i}`, `${entry.name}@${entry.version} cannot take over: ${fault}`);
    now = entry;
  }
}

function readEntry(block: Block): ModuleEntry {
  return parseModuleEntry(decodeBlock(block));
}
