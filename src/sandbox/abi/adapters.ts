import { extismAbi } from "./extism.ts";
import { ipdmAbi } from "./ipdm.ts";
import type { Abi, AbiAdapter } from "./port.ts";
import { redpandaAbi } from "./redpanda.ts";

const ADAPTERS: Partial<Record<Abi, AbiAdapter>> = {
  "extism/1": extismAbi,
  "ipdm/1": ipdmAbi,
  "redpanda/1": redpandaAbi,
};

/** The adapter of an ABI. Throws a `RangeError` for one that this version cannot call. */
export function adapterOf(abi: Abi): AbiAdapter {
  const adapter = ADAPTERS[abi];
  if (adapter === undefined) throw new RangeError(`no adapter for modules of the ABI ${abi}`);
  return adapter;
}
