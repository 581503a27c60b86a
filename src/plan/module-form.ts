import type { CID } from "multiformats/cid";
import type { ModuleConfig } from "../config/config.ts";
import type { Anchor } from "../consensus/result.ts";
import type { ModuleOperatorForm } from "../runtime/stage/module-spec.ts";

/** A module task in normal form, from what a configuration says of the module. */
export function moduleForm(
  config: Pick<ModuleConfig, "abi" | "unit" | "columns" | "policy">,
  module: CID,
): ModuleOperatorForm {
  const { policy, abi, unit } = config;
  const { capabilities, ...limits } = policy;
  const columns = declaredColumns(config.columns);
  return { kind: "module", module, abi, unit, columns, limits, capabilities: [...capabilities] };
}

/** Declared columns as a list: a map would lose their order. */
export function declaredColumns(columns: Readonly<Record<string, string>> | null): Anchor["columns"] {
  return columns === null ? null : Object.entries(columns).map(([name, type]) => ({ name, type }));
}
