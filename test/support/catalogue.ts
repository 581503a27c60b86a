import { type ModuleEntry, type ModuleEntryBody, signModuleEntry } from "../../src/consensus/module-entry.ts";
import { rawBlock } from "../../src/dag/block.ts";
import { sha256, signerOf } from "../../src/node.ts";
import { POLICIES } from "../../src/sandbox/policy.ts";

/** A publisher whose key is the same everywhere. */
export const publisher = (number: number) => signerOf(new Uint8Array(32).fill(number));

/** An entry for a module of `ipdm/1`, signed by publisher 1 unless said otherwise. */
export function entryOf(bytes: Uint8Array, change: Partial<ModuleEntryBody> = {}, by = publisher(1)): ModuleEntry {
  const { capabilities: _, ...limits } = POLICIES.standard;
  return signModuleEntry(
    {
      v: 1,
      kind: "ipdm/module/1",
      name: "late",
      version: "1.0.0",
      module: rawBlock(sha256, bytes).cid,
      bytes: bytes.length,
      abi: "ipdm/1",
      unit: null,
      stateful: false,
      columns: null,
      limits,
      costTable: "ipdm-cost/2",
      capabilities: [],
      description: "",
      ...change,
    },
    by,
  );
}
