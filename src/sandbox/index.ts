/** Running one WebAssembly module in a worker thread, outside of a pipeline (`ipdm-runtime/sandbox`). */
export { openLane } from "./lane.ts";
export type { Call, CallContext, CallOptions, Lane, ModuleHandle, ModuleSpec } from "./port.ts";
export type { RowsCheckOptions } from "./rows-property.ts";
export { checkRowsProperty } from "./rows-property.ts";
export { ABI_EXPORTS, ABI_IMPORTS, validateModule } from "./validate.ts";
