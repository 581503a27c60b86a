import { ipdmAbi } from "./ipdm.ts";
import type { Abi, AbiAdapter } from "./port.ts";

const ADAPTERS: Partial<Record<Abi, AbiAdapter>> = {
  "ipdm/1": ipdmAbi,
};

/** The adapter of an ABI. Throws a `RangeError` for one that this version cannot call. */
export function adapterOf(abi: Abi): AbiAdapter {
  const adapter = ADAPTERS[abi];
  if (adapter === undefined) throw new RangeError(`no adapter for modules of the ABI ${abi}`);
  return adapter;
}
