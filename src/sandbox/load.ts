import { adapterOf, hostTableOf } from "./abi/adapters.ts";
import { NO_OPTIONS } from "./abi/port.ts";
import { moduleRefused, sandboxError } from "./errors.ts";
import { WASI_MODULE } from "./host/wasi-table.ts";
import { reusePlan } from "./instance-keeper.ts";
import type { LaneLink } from "./lane-call.ts";
import { PAGE_BYTES } from "./limits.ts";
import type { ThreadModule } from "./module-call.ts";
import { LoadedModule } from "./module-handle.ts";
import type { CallOptions, ModuleHandle, ModuleSpec } from "./port.ts";
import { stateGlobals } from "./state/image.ts";
import { validateModule } from "./validate.ts";

const ABI_VERSION = 1;

/** Functions of the host that tell a call's event time. */
const TIME_FUNCTIONS: ReadonlySet<string> = new Set(["ipdm.time", `${WASI_MODULE}.clock_time_get`]);

/** A module that was checked, instrumented and compiled: once, however many threads run it. */
export interface Loaded {
  readonly content: ThreadModule;
  /** What was compiled; another process has to compile it again. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly timeoutMs: number;
}

/** Checks and compiles a module, then gives it to `attach`, which says how it is called. Throws what `Lane.load` throws. */
export async function loadModule(
  spec: ModuleSpec,
  attach: (loaded: Loaded) => Omit<LaneLink, "face">,
  options: CallOptions,
): Promise<ModuleHandle> {
  const instrumented = validateModule(spec);
  const { bytes, costTable } = instrumented;
  const code = await compile(bytes, spec.cid);
  const { abi, memoryBytesMax, stackValuesMax, capabilities, timeoutMs } = spec;
  const { globals, shape } = instrumented;
  const given = { shape, cid: spec.cid, capabilities, options: spec.options ?? NO_OPTIONS };
  const content = {
    globals: stateGlobals(globals, shape),
    code,
    abi,
    options: adapterOf(abi).settle?.(given) ?? given.options,
    memoryBytesMax,
    stackValuesMax,
    capabilities,
    reuse: reusePlan(instrumented),
  };
  const pagesMax = Math.floor(memoryBytesMax / PAGE_BYTES);
  const pagesMin = shape.memories[0]?.initial ?? 0;
  const importsTime = shape.imports.some(({ module, name }) => TIME_FUNCTIONS.has(`${module}.${name}`));
  const face = { cid: spec.cid, globals: content.globals, pagesMin, pagesMax, importsTime };
  const identity = { instrumented: bytes, costTable, hostTable: hostTableOf(abi) };
  const handle = new LoadedModule(spec, identity, { ...attach({ content, bytes, timeoutMs }), face });
  const version = await handle.abiVersion(options.signal);
  if (version !== ABI_VERSION)
    throw moduleRefused("MODULE_INVALID", spec.cid, `speaks version ${version} of the ABI, not ${ABI_VERSION}`);
  return handle;
}

async function compile(bytes: Uint8Array<ArrayBuffer>, cid: string): Promise<WebAssembly.Module> {
  try {
    return await WebAssembly.compile(bytes);
  } catch (cause) {
    // The bytes are valid, so this node lacks the memory for their code.
    throw sandboxError("LANE_FAULT", `module ${cid} could not be compiled by this node: ${String(cause)}`, {
      where: cid,
      retry: "later",
      cause,
    });
  }
}
