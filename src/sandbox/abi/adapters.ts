import { HOST_TABLE } from "../host/table.ts";
import { WASI_TABLE } from "../host/wasi-table.ts";
import { ipdmAbi } from "./ipdm.ts";
import type { Abi, AbiAdapter } from "./port.ts";
import { wasiAbi } from "./wasi.ts";

const ADAPTERS: Partial<Record<Abi, AbiAdapter>> = {
  "ipdm/1": ipdmAbi,
  "wasi/1": wasiAbi,
};

/** The adapter of an ABI. Throws a `RangeError` for one that this version cannot call. */
export function adapterOf(abi: Abi): AbiAdapter {
  const adapter = ADAPTERS[abi];
  if (adapter === undefined) throw new RangeError(`no adapter for modules of the ABI ${abi}`);
  return adapter;
}

/** Name of the table that says what the host's functions cost under an ABI. */
export function hostTableOf(abi: Abi): string {
  return abi === "wasi/1" ? WASI_TABLE : HOST_TABLE;
}
