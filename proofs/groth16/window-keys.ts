import { loadCircuitKey } from "./circuit-files.ts";
import { WINDOW_CIRCUITS } from "./window-proof.ts";
import type { WindowKey } from "./window-verifier.ts";

/** A window circuit's key, and what is known of how it was made: receipts say it. */
export interface KnownWindowKey extends WindowKey {
  readonly production: boolean;
  readonly label: string;
}

/** The keys of all circuits that prove windows, by the circuit's name. */
export type WindowKeys = ReadonlyMap<string, KnownWindowKey>;

/** Reads the keys of all circuits that prove windows. Throws as {@link loadCircuitKey}. */
export async function loadWindowKeys(): Promise<WindowKeys> {
  const keys = WINDOW_CIRCUITS.map(async (circuit) => {
    const { key, provenance } = await loadCircuitKey(circuit);
    return [circuit.name, { circuit, key, production: provenance.production, label: provenance.label }] as const;
  });
  return new Map(await Promise.all(keys));
}

/** True when every key came from a set-up of many parties. */
export function allForProduction(keys: WindowKeys): boolean {
  return [...keys.values()].every(({ production }) => production);
}
