// AssemblyScript, not TypeScript: what a module written for the ABI `ipdm/1` imports.
export { ipdm_abi, ipdm_alloc } from "./abi";
export { Batch, Column } from "./batch";
export { OutputColumn } from "./column";
export { Descriptor } from "./descriptor";
export { fail } from "./failure";
export { Type } from "./format";
export { Host } from "./host";
export { allocate } from "./memory";
export { Message } from "./message";
export { Output } from "./output";
export { Selection } from "./selection";
export { Setting } from "./setting";
