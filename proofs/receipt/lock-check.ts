import * as dagCbor from "@ipld/dag-cbor";
import type { CID } from "multiformats/cid";
import { satisfies } from "semver";
import { entrySigned, type ModuleEntry, operatorOfEntry, parseModuleEntry } from "../../src/consensus/module-entry.ts";
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
}

/**
 * Checks the modules that a receipt says came from a catalogue: the entry is signed by the publisher it names, it is of that name and
 * version, the version is one that was asked for, and the task's stage runs that module exactly as the entry declares it. Whose
 * key it is remains the reader's to know. Throws `LOCK_MISMATCH`, `LOCK_SIGNATURE`, `NODE_MALFORMED`.
 */
export function checkLocks({ config, blocks, stages }: Receipt, verify: Verify): ShownLock[] {
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
    if (!equalBytes(dagCbor.encode(operator), dagCbor.encode(operatorOfEntry(entry))))
      refuse("LOCK_MISMATCH", where, `task ${task} runs ${name}@${version} otherwise than its entry declares`);
    return { task, ...lock, publisher: entry.publisher };
  });
}

function readEntry(block: Block): ModuleEntry {
  return parseModuleEntry(decodeBlock(block));
}
