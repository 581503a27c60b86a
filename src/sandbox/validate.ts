import { adapterOf } from "./abi/adapters.ts";
import { NO_OPTIONS } from "./abi/port.ts";
import { moduleRefused, sandboxError } from "./errors.ts";
import { PAGE_BYTES, PAGES_MAX, TABLE_ELEMENTS_MAX } from "./limits.ts";
import { lanesOf } from "./metering/global-access.ts";
import { type Instrumented, instrument, TailCallsError } from "./metering/instrument.ts";
import type { ModuleSpec } from "./port.ts";
import { BinaryError, hasHeader } from "./wasm/binary.ts";
import { MODULE_LIMITS } from "./wasm/limits.ts";
import type { ModuleShape } from "./wasm/module.ts";
import type { GlobalShape } from "./wasm/shape.ts";

const TAIL_CALLS_HINT = "allow them: features: [tail-calls], or --features tail-calls";

/** What of a module's specification decides how it is checked and instrumented. */
export type ModuleSource = Pick<ModuleSpec, "bytes" | "cid" | "abi" | "options" | "memoryBytesMax" | "capabilities"> &
  Partial<Pick<ModuleSpec, "kind" | "features">>;

/**
 * Checks a module from anyone and makes it ready to compile: valid as given, nothing but what is allowed in it, the imports
 * and exports of its ABI, instrumented, valid again. Throws `MODULE_NOT_WASM`, `MODULE_INVALID`, `MODULE_IMPORT_DENIED`,
 * `MODULE_CAPABILITY_DENIED`, `MODULE_EXPORT_MISSING`, `MODULE_MEMORY_EXCEEDED`; `MODULE_NOT_STATEFUL` for one of kind `stateful`
 * whose state is more than its memory and numbers in globals.
 */
export function validateModule(source: ModuleSource): Instrumented {
  const { bytes, cid, abi, capabilities } = source;
  if (!hasHeader(bytes)) {
    throw moduleRefused(
      "MODULE_NOT_WASM",
      cid,
      "is not a WebAssembly module of version 1",
      "give the compiled .wasm file, not its source or a component",
    );
  }
  const { moduleBytes } = MODULE_LIMITS;
  if (bytes.length > moduleBytes)
    throw moduleRefused("MODULE_INVALID", cid, `has ${bytes.length} bytes, more than ${moduleBytes}`);
  // The original must be valid by itself: adding to an invalid module can make it valid with another meaning.
  if (!WebAssembly.validate(owned(bytes))) throw moduleRefused("MODULE_INVALID", cid, "is not valid WebAssembly");
  const pages = Math.min(PAGES_MAX, Math.floor(source.memoryBytesMax / PAGE_BYTES));
  const result = instrumented(source, pages);
  adapterOf(abi).check({ shape: result.shape, cid, capabilities, options: source.options ?? NO_OPTIONS });
  checkSizes(result.shape, cid, pages);
  if (source.kind === "stateful") checkState(result, source);
  if (!WebAssembly.validate(result.bytes))
    throw moduleRefused("MODULE_INVALID", cid, "is not valid after instrumentation");
  return result;
}

function instrumented({ bytes, cid, features = [] }: ModuleSource, memoryPagesMax: number): Instrumented {
  try {
    return instrument(bytes, {
      memoryPagesMax,
      tailCalls: features.includes("tail-calls"),
      tableElementsMax: TABLE_ELEMENTS_MAX,
      exportGlobals: true,
      foreignImports: true,
    });
  } catch (cause) {
    if (cause instanceof TailCallsError) throw moduleRefused("MODULE_INVALID", cid, cause.message, TAIL_CALLS_HINT);
    if (cause instanceof BinaryError) throw moduleRefused("MODULE_INVALID", cid, cause.message);
    throw cause;
  }
}

/** Views over shared buffers are not accepted by the engine. */
function owned(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes.buffer instanceof ArrayBuffer ? (bytes as Uint8Array<ArrayBuffer>) : new Uint8Array(bytes);
}

function checkSizes(shape: ModuleShape, cid: string, pages: number): void {
  for (const memory of shape.memories) {
    if (memory.initial <= pages) continue;
    throw sandboxError(
      "MODULE_MEMORY_EXCEEDED",
      `module ${cid} begins with ${memory.initial * PAGE_BYTES} bytes of memory, more than the ${pages * PAGE_BYTES} it may have`,
      {
        kind: "config",
        where: cid,
        hint: "raise the module's memory limit",
        facts: { module: cid, memoryBytesMax: pages * PAGE_BYTES },
      },
    );
  }
  for (const table of shape.tables) {
    if (table.initial > TABLE_ELEMENTS_MAX)
      throw moduleRefused(
        "MODULE_INVALID",
        cid,
        `has a table of ${table.initial} elements, more than ${TABLE_ELEMENTS_MAX}`,
      );
  }
}

/** What a stateful module keeps must be its memory and numbers in globals: tables and dropped segments cannot be saved. */
function checkState({ changesTables, globals, shape }: Instrumented, { cid, abi }: ModuleSource): void {
  const what = changesTables
    ? "changes a table or drops a segment"
    : globals.some((index) => lanesOf(shape.globals[index] as GlobalShape) === 0)
      ? "has a mutable global that holds a reference"
      : adapterOf(abi).keep === undefined
        ? `is of the ABI ${abi}, whose modules keep nothing`
        : undefined;
  if (what === undefined) return;
  throw moduleRefused(
    "MODULE_NOT_STATEFUL",
    cid,
    `cannot be stateful: it ${what}`,
    "what a stateful module keeps lies in its linear memory and in globals of number types; else declare kind batch",
  );
}
