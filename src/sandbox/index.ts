/** Running WebAssembly modules that nobody needs to trust, metered and deterministic, without a pipeline (`ipdm-runtime/sandbox`). */
export type { Abi, AbiOptions } from "./abi/port.ts";
export { ABIS } from "./abi/port.ts";
export { EXTISM_FUNCTIONS, EXTISM_TABLE } from "./host/extism.ts";
export { REDPANDA_FUNCTIONS, REDPANDA_TABLE } from "./host/redpanda.ts";
export { HOST_FUNCTIONS, HOST_TABLE } from "./host/table.ts";
export { WASI_FUNCTIONS, WASI_TABLE } from "./host/wasi-table.ts";
export { openLane } from "./lane.ts";
export type { LanesOptions } from "./lane-pool.ts";
export { lanesFor, openLanes } from "./lane-pool.ts";
export { COST_TABLE } from "./metering/cost-table.ts";
export type { Instrumented, InstrumentOptions } from "./metering/instrument.ts";
export { instrument } from "./metering/instrument.ts";
export { filled, fuelLeft, growthFailed, METER_EXPORT, overdrawn, START_EXPORT } from "./metering/meter.ts";
export type { Capability, Feature, Isolation, SandboxPolicy, TrustLevel } from "./policy.ts";
export { CAPABILITIES, FEATURES, ISOLATION, ISOLATIONS, POLICIES, TRUST_LEVELS } from "./policy.ts";
export type {
  Call,
  CallContext,
  CallOptions,
  Lane,
  ModuleHandle,
  ModuleIdentity,
  ModuleKind,
  ModuleSession,
  ModuleSpec,
  Processed,
} from "./port.ts";
export type { RowsCheckOptions } from "./rows-property.ts";
export { checkRowsProperty } from "./rows-property.ts";
export type { MemorySource, MemoryState, SavedMemory } from "./state/memory-tree.ts";
export { validateModule } from "./validate.ts";
export type { ModuleLimits } from "./wasm/limits.ts";
export { MODULE_LIMITS } from "./wasm/limits.ts";
