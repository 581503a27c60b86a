/**
 * For tests of one's own machines and nodes: everything in memory, nothing on a disk or a wire (`ipdm-runtime/testing`). Stores,
 * networks and kernels take {@link sha256} and {@link quietLog} from here: `new Kernel(new MemoryStore({ hash: sha256 }), { hash:
 * sha256, log: quietLog })`; signatures are checked with {@link verifyEd25519}.
 */
export { verifyEd25519 } from "../../proofs/portable-crypto.ts";
export type { MemoryImage, MemoryStoreOptions } from "../journal/memory-store.ts";
export { MemoryStore } from "../journal/memory-store.ts";
export type { Store } from "../journal/port.ts";
export type { MemoryHubOptions } from "../network/memory-network.ts";
export { MemoryHub } from "../network/memory-network.ts";
export { MemoryScheduler } from "../network/memory-scheduler.ts";
export { quietLog, sha256 } from "../network/node-defaults.ts";
export type { Network } from "../network/port.ts";
export type { Actor, ActorSpec, Effect, EffectContext, KernelOptions, MachineSpec, OutcomeEvent } from "./kernel.ts";
export { Kernel } from "./kernel.ts";
