import { setup } from "xstate";
import { stepAction } from "../step.ts";
import type { TaskEvent, TaskInput } from "./events.ts";
import { awaitsCertificate, awaitsExecution, awaitsRecord, complete, offerFits, pullFits } from "./guards.ts";
import type { TaskContext } from "./step.ts";
import { certified, executed, initialTask, opened, recorded, start } from "./step.ts";

/** Requests a task makes of its actor. */
export const TASK_REQUESTS = ["pull", "execute", "claim", "record", "complete"] as const;

/**
 * A task: one stage of a pipeline on one node. It opens slots (pulled by the submitter, offered to voters), has them
 * executed one after the other, claims their statements before the domain and records their certificates in sequence. An
 * effect that fails is no fact of the task: its request stays pending and is made again by the next process.
 */
export const taskMachine = setup({
  types: { context: {} as TaskContext, events: {} as TaskEvent, input: {} as TaskInput },
  actions: {
    start: stepAction(start),
    open: stepAction(opened),
    keepStatement: stepAction(executed),
    keepCertificate: stepAction(certified),
    keepRecord: stepAction(recorded),
  },
  guards: {
    pullFits: ({ context, event }) => event.type === "pulled" && pullFits(context, event),
    offerFits: ({ context, event }) => event.type === "offered" && offerFits(context, event),
    awaitsExecution: ({ context, event }) => event.type === "executed" && awaitsExecution(context, event),
    awaitsCertificate: ({ context, event }) => event.type === "certified" && awaitsCertificate(context, event),
    awaitsRecord: ({ context, event }) => event.type === "recorded" && awaitsRecord(context, event),
    complete: ({ context }) => complete(context),
  },
}).createMachine({
  id: "task",
  context: ({ input }) => initialTask(input),
  initial: "idle",
  states: {
    idle: { on: { start: { target: "running", actions: "start" } } },
    running: {
      always: { guard: "complete", target: "complete" },
      on: {
        pulled: { guard: "pullFits", actions: "open" },
        offered: { guard: "offerFits", actions: "open" },
        executed: { guard: "awaitsExecution", actions: "keepStatement" },
        certified: { guard: "awaitsCertificate", actions: "keepCertificate" },
        recorded: { guard: "awaitsRecord", actions: "keepRecord" },
      },
    },
    complete: {},
  },
});
