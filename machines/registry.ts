import type { AnyStateMachine } from "xstate";
import { CATALOGUE_REQUESTS, catalogueMachine } from "./catalogue/machine.ts";
import { DOMAIN_REQUESTS, domainMachine } from "./domain/machine.ts";
import { LAKE_REQUESTS, lakeMachine } from "./lake/machine.ts";
import { TASK_REQUESTS, taskMachine } from "./task/machine.ts";

/** A machine under its name and version, with the requests it makes. */
export interface RegisteredMachine {
  readonly name: string;
  readonly version: number;
  readonly machine: AnyStateMachine;
  readonly requests: readonly string[];
}

/** See {@link taskMachine}. */
export const TASK: RegisteredMachine = { name: "task", version: 1, machine: taskMachine, requests: TASK_REQUESTS };
/** See {@link domainMachine}. */
export const DOMAIN: RegisteredMachine = {
  name: "domain",
  version: 1,
  machine: domainMachine,
  requests: DOMAIN_REQUESTS,
};
/** See {@link lakeMachine}. */
export const LAKE: RegisteredMachine = { name: "lake", version: 1, machine: lakeMachine, requests: LAKE_REQUESTS };

/** See {@link catalogueMachine}. */
export const CATALOGUE: RegisteredMachine = {
  name: "catalogue",
  version: 1,
  machine: catalogueMachine,
  requests: CATALOGUE_REQUESTS,
};

/** Every machine that journals may have been written by. A changed machine gets a new version; its old one stays here. */
export const MACHINES: readonly RegisteredMachine[] = [TASK, DOMAIN, LAKE, CATALOGUE];
