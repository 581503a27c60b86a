import { EXTISM_TABLE } from "../host/extism.ts";
import { REDPANDA_TABLE } from "../host/redpanda.ts";
import { HOST_TABLE } from "../host/table.ts";
import { WASI_TABLE } from "../host/wasi-table.ts";
import { extismAbi } from "./extism.ts";
import { ipdmAbi } from "./ipdm.ts";
import type { Abi, AbiAdapter } from "./port.ts";
import { redpandaAbi } from "./redpanda.ts";
import { wasiAbi } from "./wasi.ts";

const ADAPTERS: Readonly<Record<Abi, AbiAdapter>> = {
  "extism/1": extismAbi,
  "ipdm/1": ipdmAbi,
  "redpanda/1": redpandaAbi,
  "wasi/1": wasiAbi,
};

/** Tables that say what the host's functions cost. Plugins and transforms may call WASI's beside their own. */
const TABLES: Readonly<Record<Abi, string>> = {
  "extism/1": `${EXTISM_TABLE}+${WASI_TABLE}`,
  "ipdm/1": HOST_TABLE,
  "redpanda/1": `${REDPANDA_TABLE}+${WASI_TABLE}`,
  "wasi/1": WASI_TABLE,
};

/** The adapter of an ABI. */
export function adapterOf(abi: Abi): AbiAdapter {
  return ADAPTERS[abi];
}

/** Names of the tables that say what the host's functions cost under an ABI. */
export function hostTableOf(abi: Abi): string {
  return TABLES[abi];
}
