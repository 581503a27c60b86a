/** For tests of one's own machines and nodes: everything in memory, nothing on a disk or a wire (`ipdm-runtime/testing`). */
export type { MemoryImage, MemoryStoreOptions } from "../journal/memory-store.ts";
export { MemoryStore } from "../journal/memory-store.ts";
export type { Store } from "../journal/port.ts";
export type { MemoryHubOptions } from "../network/memory-network.ts";
export { MemoryHub } from "../network/memory-network.ts";
export { MemoryScheduler } from "../network/memory-scheduler.ts";
export type { Network } from "../network/port.ts";
export type { Actor, ActorSpec, Effect, EffectContext, KernelOptions, MachineSpec, OutcomeEvent } from "./kernel.ts";
export { Kernel } from "./kernel.ts";
