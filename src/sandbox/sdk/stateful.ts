// AssemblyScript, not TypeScript: what a stateful module imports beside `index`. It exports `ipdm_end` as its own.
export { ipdm_end, keep, keepSmall, release } from "./kept";
export { KeptMap } from "./kept-map";
