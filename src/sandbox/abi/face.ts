import type { IpdmError } from "../../core/errors.ts";
import { moduleRefused, sandboxError } from "../errors.ts";
import type { Capability } from "../policy.ts";
import type { External } from "../wasm/module.ts";
import type { AbiFace } from "./port.ts";

/** A function that a module may import under an ABI: its signature, and what the policy has to allow. */
export interface Importable {
  readonly signature: string;
  readonly capability?: Capability;
}

/** Checks that a module imports nothing but functions of a table, with their signatures, and what its policy allows. */
export function checkImports({ shape, cid, capabilities }: AbiFace, table: Readonly<Record<string, Importable>>): void {
  for (const entry of shape.imports) {
    const name = `${entry.module}.${entry.name}`;
    const known = Object.hasOwn(table, name) ? table[name] : undefined;
    if (entry.kind !== "function" || known === undefined || known.signature !== entry.signature) {
      const wanted = known === undefined ? "" : `; the host has it as ${name}${known.signature}`;
      throw moduleRefused(
        "MODULE_IMPORT_DENIED",
        cid,
        `imports ${described(entry, name)}${wanted}`,
        `a module may import only ${listed(Object.keys(table))}`,
      );
    }
    if (known.capability !== undefined && !capabilities.includes(known.capability))
      throw capabilityDenied(cid, name, known.capability);
  }
}

/** What a module wants is not allowed to it. */
function capabilityDenied(cid: string, name: string, capability: Capability): IpdmError {
  return sandboxError("MODULE_CAPABILITY_DENIED", `module ${cid} imports ${name}, which its policy does not allow`, {
    kind: "config",
    where: cid,
    hint: `allow it: capabilities: [${capability}]`,
    facts: { module: cid, capability },
  });
}

/** Checks that a module exports its one memory as `memory`. */
export function checkMemory({ shape, cid }: AbiFace): void {
  const memory = shape.exports.find((entry) => entry.name === "memory");
  if (memory?.kind !== "memory" || memory.index !== 0 || shape.memories.length !== 1)
    throw missingExport(cid, "memory", "its one memory", memory);
}

/** Checks that a module exports a function with a signature. */
export function checkExport({ shape, cid }: AbiFace, name: string, signature: string): void {
  const found = shape.exports.find((entry) => entry.name === name);
  if (found?.kind !== "function" || found.signature !== signature)
    throw missingExport(cid, name, name + signature, found);
}

function missingExport(cid: string, name: string, wanted: string, found: External | undefined): IpdmError {
  const what =
    found === undefined ? `does not export ${wanted}` : `exports ${described(found, name)} where ${wanted} is wanted`;
  return moduleRefused("MODULE_EXPORT_MISSING", cid, what, "docs/reference/abi.md lists what a module exports");
}

function described(entry: External, name: string): string {
  return entry.kind === "function" ? `${name}${entry.signature ?? ""}` : `${entry.kind} ${name}`;
}

function listed(names: readonly string[]): string {
  return names.length > 8 ? `${names.slice(0, 8).join(", ")} and ${names.length - 8} more` : names.join(", ");
}
