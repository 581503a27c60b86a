import type { Finding } from "./problem.ts";
import type { WrittenConfig } from "./schema.ts";

/** Checks what the keys of a module say about each other: which an ABI needs, and which have no meaning under it. */
export function checkModules(config: WrittenConfig): Finding[] {
  return Object.entries(config.modules ?? {}).flatMap(([name, module]) => {
    if (typeof module === "string") return [];
    const { abi, columns, stdin } = module;
    const findings: Finding[] = [];
    if (abi === "wasi/1" && columns === undefined) {
      findings.push({
        path: ["modules", name],
        atKey: true,
        message: `modules.${name}.columns is missing: a program of ${abi} cannot say which columns it writes`,
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
    if (abi !== "wasi/1" && stdin !== undefined) {
      findings.push({
        path: ["modules", name, "stdin"],
        atKey: true,
        message: `modules.${name}.stdin has no meaning with abi: ${abi}`,
        hint: "write abi: wasi/1, or remove stdin",
      });
    }
    return findings;
  });
}
