import type { Abi } from "../sandbox/abi/port.ts";
import type { Finding } from "./problem.ts";
import type { WrittenConfig } from "./schema.ts";

/** What a module that writes text is, by the ABI it is called under. Its columns have to be declared. */
const WRITERS: Partial<Record<Abi, string>> = {
  "extism/1": "a plugin",
  "redpanda/1": "a transform",
  "wasi/1": "a program",
};
/** Keys that have a meaning under one ABI alone. */
const KEYS_OF_ONE = { stdin: "wasi/1", export: "extism/1", config: "extism/1", settings: "ipdm/1" } as const;

/** Checks what the keys of a module say about each other: which an ABI needs, and which have no meaning under it. */
export function checkModules(config: WrittenConfig): Finding[] {
  return Object.entries(config.modules ?? {}).flatMap(([name, module]) => {
    if (typeof module === "string") return [];
    const { abi, columns } = module;
    const findings: Finding[] = [];
    const writer = WRITERS[abi];
    if (writer !== undefined && columns === undefined) {
      findings.push({
        path: ["modules", name],
        atKey: true,
        message: `modules.${name}.columns is missing: ${writer} of ${abi} cannot say which columns it writes`,
        hint: "add columns: { <name>: <type>, … }, in the order of the table",
      });
    }
    if (columns !== undefined && Object.keys(columns).length === 0) {
      findings.push({
        path: ["modules", name, "columns"],
        atKey: true,
        message: `modules.${name}.columns is empty: a table has at least one column`,
        hint: "add <name>: <type>",
      });
    }
    if (module.kind === "rows" && module.capabilities?.includes("time") === true) {
      findings.push({
        path: ["modules", name, "capabilities"],
        atKey: true,
        message: `modules.${name}.capabilities: calls of a module of kind rows have no event time, since they may be cut anywhere`,
        hint: "remove time, or write kind: batch",
      });
    }
    for (const [key, only] of Object.entries(KEYS_OF_ONE)) {
      if (abi === only || module[key as keyof typeof KEYS_OF_ONE] === undefined) continue;
      findings.push({
        path: ["modules", name, key],
        atKey: true,
        message: `modules.${name}.${key} has no meaning with abi: ${abi}`,
        hint: hintOf(key, abi, only),
      });
    }
    return findings;
  });
}

/** A text that a module asks for has another key under each ABI that has such texts. */
function hintOf(key: string, abi: Abi, only: Abi): string {
  if (key === "settings" && abi === "extism/1") return "write config";
  if (key === "config" && abi === "ipdm/1") return "write settings";
  return `write abi: ${only}, or remove ${key}`;
}
