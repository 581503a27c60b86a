import { setup } from "xstate";
import { stepAction } from "../step.ts";
import type { LakeEvent, LakeInput } from "./events.ts";
import { isFirstSeal, isOutput, published } from "./guards.ts";
import type { LakeContext } from "./step.ts";
import { committed, initialLake, kept, sealed, wanted, written } from "./step.ts";

/** Requests a lake makes of its actor. */
export const LAKE_REQUESTS = ["keep", "write"] as const;

/** A lake in one run, on one node: it keeps what was certified, and lets outputs out when the run is sealed. */
export const lakeMachine = setup({
  types: { context: {} as LakeContext, events: {} as LakeEvent, input: {} as LakeInput },
  actions: {
    keepStatement: stepAction(committed),
    count: stepAction(kept),
    release: stepAction(sealed),
    keepWritten: stepAction(written),
    writeAgain: stepAction(wanted),
  },
  guards: {
    isFirstSeal: ({ context, event }) => event.type === "sealed" && isFirstSeal(context, event),
    isOutput: ({ context, event }) => event.type === "wanted" && isOutput(context, event),
    published: ({ context }) => published(context),
  },
}).createMachine({
  id: "lake",
  context: ({ input }) => initialLake(input),
  initial: "filling",
  states: {
    filling: {
      always: { guard: "published", target: "published" },
      on: {
        committed: { actions: "keepStatement" },
        kept: { actions: "count" },
        sealed: { guard: "isFirstSeal", actions: "release" },
        written: { actions: "keepWritten" },
      },
    },
    published: {
      on: {
        committed: { actions: "keepStatement" },
        kept: { actions: "count" },
        written: { actions: "keepWritten" },
        wanted: { guard: "isOutput", actions: "writeAgain" },
      },
    },
  },
});
