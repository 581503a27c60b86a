import type { IpdmError } from "../core/errors.ts";
import type { Section } from "./binary.ts";
import { BinaryError, hasHeader, readSections } from "./binary.ts";
import { capModule } from "./cap.ts";
import { moduleRefused, sandboxError } from "./errors.ts";
import type { Instrumented } from "./instrument.ts";
import { instrument } from "./instrument.ts";
import { MODULE_BYTES_MAX, PAGE_BYTES, PAGES_MAX, TABLE_ELEMENTS_MAX } from "./limits.ts";
import type { External, ModuleShape } from "./module-shape.ts";
import { readShape } from "./module-shape.ts";
import type { ModuleSpec } from "./port.ts";

/** Functions of the ABI `ipdm/1` and their signatures; `memory` stands beside them. */
export const ABI_EXPORTS = { ipdm_abi: "()->i32", ipdm_alloc: "(i32)->i32", ipdm_process: "(i32,i32)->i32" } as const;

/** The one import a module may have: what AssemblyScript calls to stop with a message. It traps. */
export const ABI_IMPORTS = { "env.abort": "(i32,i32,i32,i32)->()" } as const;

/**
 * Checks a module from anyone and makes it ready to compile: valid as given, no start function, the imports and exports of
 * the ABI, memory and tables capped, instrumented, valid again. Throws `MODULE_NOT_WASM`, `MODULE_INVALID`,
 * `MODULE_IMPORT_DENIED`, `MODULE_EXPORT_MISSING`, `MODULE_HAS_START`, `MODULE_MEMORY_EXCEEDED`.
 *
 * Instructions are those the engine knows; an own list of allowed ones comes with the instrumenter.
 */
export function validateModule(spec: Pick<ModuleSpec, "bytes" | "cid" | "memoryBytesMax">): Instrumented {
  const { bytes, cid } = spec;
  if (!hasHeader(bytes)) {
    throw moduleRefused(
      "MODULE_NOT_WASM",
      cid,
      "is not a WebAssembly module of version 1",
      "give the compiled .wasm file, not its source or a component",
    );
  }
  if (bytes.length > MODULE_BYTES_MAX)
    throw moduleRefused("MODULE_INVALID", cid, `has ${bytes.length} bytes, more than ${MODULE_BYTES_MAX}`);
  // The original must be valid by itself: adding to an invalid module can make it valid with another meaning.
  if (!WebAssembly.validate(owned(bytes))) throw moduleRefused("MODULE_INVALID", cid, "is not valid WebAssembly");
  const { sections, shape } = readModule(bytes, cid);
  checkStart(shape, cid);
  checkImports(shape, cid);
  checkExports(shape, cid);
  const pages = checkSizes(shape, spec);
  const result = instrument(capModule(bytes, sections, shape, pages));
  if (!WebAssembly.validate(owned(result.bytes)))
    throw moduleRefused("MODULE_INVALID", cid, "is not valid after instrumentation");
  return result;
}

/** Views over shared buffers are not accepted by the engine. */
function owned(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes.buffer instanceof ArrayBuffer ? (bytes as Uint8Array<ArrayBuffer>) : new Uint8Array(bytes);
}

function readModule(bytes: Uint8Array, cid: string): { sections: Section[]; shape: ModuleShape } {
  try {
    const sections = readSections(bytes);
    return { sections, shape: readShape(bytes, sections) };
  } catch (cause) {
    if (cause instanceof BinaryError) throw moduleRefused("MODULE_INVALID", cid, cause.message);
    throw cause;
  }
}

function checkStart(shape: ModuleShape, cid: string): void {
  if (!shape.hasStart) return;
  throw moduleRefused(
    "MODULE_HAS_START",
    cid,
    "has a start function, which would run before any call",
    "initialise on the first ipdm_alloc, or compile without global initialisers",
  );
}

function checkImports(shape: ModuleShape, cid: string): void {
  for (const entry of shape.imports) {
    const name = `${entry.module}.${entry.name}`;
    const allowed = Object.hasOwn(ABI_IMPORTS, name) ? ABI_IMPORTS[name as keyof typeof ABI_IMPORTS] : undefined;
    if (entry.kind === "function" && allowed === entry.signature) continue;
    throw moduleRefused(
      "MODULE_IMPORT_DENIED",
      cid,
      `imports ${described(entry, name)}`,
      `a module may import only ${Object.entries(ABI_IMPORTS)
        .map(([key, signature]) => key + signature)
        .join(", ")}`,
    );
  }
}

function checkExports(shape: ModuleShape, cid: string): void {
  const memory = shape.exports.find((entry) => entry.name === "memory");
  if (memory?.kind !== "memory" || memory.index !== 0 || shape.memories.length !== 1)
    throw missingExport(cid, "memory", "its one memory", memory);
  for (const [name, signature] of Object.entries(ABI_EXPORTS)) {
    const found = shape.exports.find((entry) => entry.name === name);
    if (found?.kind !== "function" || found.signature !== signature)
      throw missingExport(cid, name, name + signature, found);
  }
}

function missingExport(cid: string, name: string, wanted: string, found: External | undefined): IpdmError {
  const what =
    found === undefined ? `does not export ${wanted}` : `exports ${described(found, name)} where ${wanted} is wanted`;
  return moduleRefused("MODULE_EXPORT_MISSING", cid, what, "docs/reference/abi.md lists the exports of ipdm/1");
}

function described(entry: External, name: string): string {
  return entry.kind === "function" ? `${name}${entry.signature ?? ""}` : `${entry.kind} ${name}`;
}

function checkSizes(shape: ModuleShape, spec: Pick<ModuleSpec, "cid" | "memoryBytesMax">): number {
  const pages = Math.min(PAGES_MAX, Math.floor(spec.memoryBytesMax / PAGE_BYTES));
  for (const memory of shape.memories) {
    if (memory.initial <= pages) continue;
    throw sandboxError(
      "MODULE_MEMORY_EXCEEDED",
      `module ${spec.cid} begins with ${memory.initial * PAGE_BYTES} bytes of memory, more than the ${pages * PAGE_BYTES} it may have`,
      {
        kind: "config",
        where: spec.cid,
        hint: "raise the module's memory limit",
        facts: { module: spec.cid, memoryBytesMax: pages * PAGE_BYTES },
      },
    );
  }
  for (const table of shape.tables) {
    if (table.initial > TABLE_ELEMENTS_MAX)
      throw moduleRefused(
        "MODULE_INVALID",
        spec.cid,
        `has a table of ${table.initial} elements, more than ${TABLE_ELEMENTS_MAX}`,
      );
  }
  return pages;
}
