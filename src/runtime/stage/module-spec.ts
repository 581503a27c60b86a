import { declaredField } from "../../batch/declared-field.ts";
import { schemaOf } from "../../batch/schema.ts";
import { callsHaveTime } from "../../consensus/module-entry.ts";
import type { Operator } from "../../consensus/result.ts";
import { IpdmError } from "../../core/errors.ts";
import { ABIS, type Abi, type AbiOptions } from "../../sandbox/abi/port.ts";
import { CAPABILITIES, FEATURES, policyFault } from "../../sandbox/policy.ts";
import type { ModuleSpec } from "../../sandbox/port.ts";

/** Longest time of a call where nobody says otherwise, in milliseconds: the way out when a node is at fault. */
export const CALL_TIMEOUT_MS = 10_000;

/** ABIs whose modules can ask for settings. */
const SETTABLE: readonly string[] = ["extism/1", "ipdm/1"] satisfies readonly Abi[];

/** A module task in normal form. */
export type ModuleOperatorForm = Extract<Operator, { kind: "module" }>;

/**
 * What a lane is given for a module task: all that decides its result comes from the normal form, so a run and its replay share
 * it. Throws `MODULE_ABI_UNKNOWN` (kind `verification`) for an ABI or a capability that this version does not know, and
 * `MODULE_LIMIT_INVALID` for a limit or a unit out of its range: receipts and entries come from strangers.
 */
export function moduleSpec(operator: ModuleOperatorForm, bytes: Uint8Array, timeoutMs: number): ModuleSpec {
  const {
    module,
    abi,
    unit,
    stateful,
    columns,
    stdin,
    entry,
    settings,
    limits,
    capabilities,
    features = [],
  } = operator;
  const unknown =
    capabilities.find((capability) => !CAPABILITIES.some((known) => known === capability)) ??
    features.find((feature) => !FEATURES.some((known) => known === feature));
  const optionsFit = (entry === undefined || abi === "extism/1") && (settings === undefined || SETTABLE.includes(abi));
  const timeFits = operator.time === undefined || callsHaveTime(operator);
  const isWellFormed = (abi === "wasi/1") === (stdin !== undefined) && optionsFit && timeFits;
  if (!ABIS.some((known) => known === abi) || unknown !== undefined || !isWellFormed) {
    throw new IpdmError(
      "MODULE_ABI_UNKNOWN",
      `this version cannot call modules of ${abi} with ${[...capabilities, ...features].join(", ")}`,
      {
        kind: "verification",
        where: module.toString(),
        hint: "use the version that made the receipt, or a newer one",
      },
    );
  }
  const fault = policyFault(limits, unit);
  if (fault !== undefined) {
    const { what, value, least, most } = fault;
    throw new IpdmError("MODULE_LIMIT_INVALID", `a module is given ${what} ${value}; it must be ${least} to ${most}`, {
      kind: "verification",
      where: module.toString(),
      facts: { ...fault },
    });
  }
  return {
    bytes,
    cid: module.toString(),
    abi: abi as Abi, // found in the list above
    options: {
      entry: entry ?? null,
      settings: Object.fromEntries((settings ?? []).map(({ name, value }) => [name, value])),
    },
    kind: unit === null ? "rows" : stateful ? "stateful" : "batch",
    columns: columns === null ? null : schemaOf(columns.map(({ name, type }) => declaredField(name, type))),
    ...(stdin === undefined ? {} : { stdin }),
    ...limits,
    capabilities: CAPABILITIES.filter((capability) => capabilities.includes(capability)),
    ...(features.length === 0 ? {} : { features: FEATURES.filter((feature) => features.includes(feature)) }),
    timeoutMs,
  };
}

/** What an operator says of the options of its ABI: only what a configuration says, and settings in the order of their keys. */
export function optionsForm({ entry, settings }: AbiOptions): Pick<ModuleOperatorForm, "entry" | "settings"> {
  const named = Object.entries(settings).map(([name, value]) => ({ name, value }));
  named.sort((a, b) => (a.name < b.name ? -1 : 1)); // by code unit: the same in every locale
  return { ...(entry === null ? {} : { entry }), ...(named.length === 0 ? {} : { settings: named }) };
}
