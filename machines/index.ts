/** The XState machines as plain definitions, and the registry that journals are replayed with (`ipdm-runtime/machines`). */
export { CATALOGUE_REQUESTS, catalogueMachine } from "./catalogue/machine.ts";
export { DOMAIN_REQUESTS, domainMachine } from "./domain/machine.ts";
export { LAKE_REQUESTS, lakeMachine } from "./lake/machine.ts";
export type { RegisteredMachine } from "./registry.ts";
export { CATALOGUE, DOMAIN, LAKE, MACHINES, TASK } from "./registry.ts";
export { TASK_REQUESTS, taskMachine } from "./task/machine.ts";
