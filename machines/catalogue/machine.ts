import { setup } from "xstate";
import { stepAction } from "../step.ts";
import type { CatalogueEvent, CatalogueInput } from "./events.ts";
import { isChanged, isForeign, isNew, isPresent, isRecorded } from "./guards.ts";
import type { CatalogueContext } from "./step.ts";
import { accepted, changed, foreign, initialCatalogue, present, recorded, submitted } from "./step.ts";

/** Requests a catalogue makes of its actor. */
export const CATALOGUE_REQUESTS = ["look", "record"] as const;

/**
 * A catalogue of modules. It takes one entry after the other, and each once: the first publisher of a name owns it, and a version
 * never changes. An entry that comes while another is being decided is not taken; whoever submits waits for the state `open`.
 */
export const catalogueMachine = setup({
  types: { context: {} as CatalogueContext, events: {} as CatalogueEvent, input: {} as CatalogueInput },
  actions: {
    lookUp: stepAction(submitted),
    accept: stepAction(accepted),
    keepRecord: stepAction(recorded),
    keepPresent: stepAction(present),
    refuseForeign: stepAction(foreign),
    refuseChanged: stepAction(changed),
  },
  guards: {
    isForeign: ({ context, event }) => event.type === "looked" && isForeign(context, event),
    isPresent: ({ context, event }) => event.type === "looked" && isPresent(context, event),
    isChanged: ({ context, event }) => event.type === "looked" && isChanged(context, event),
    isNew: ({ context, event }) => event.type === "looked" && isNew(context, event),
    isRecorded: ({ context, event }) => event.type === "recorded" && isRecorded(context, event),
  },
}).createMachine({
  id: "catalogue",
  context: ({ input }) => initialCatalogue(input),
  initial: "open",
  states: {
    open: { on: { submitted: { target: "deciding", actions: "lookUp" } } },
    deciding: {
      on: {
        looked: [
          { guard: "isForeign", target: "open", actions: "refuseForeign" },
          { guard: "isPresent", target: "open", actions: "keepPresent" },
          { guard: "isChanged", target: "open", actions: "refuseChanged" },
          { guard: "isNew", target: "recording", actions: "accept" },
        ],
      },
    },
    recording: { on: { recorded: { guard: "isRecorded", target: "open", actions: "keepRecord" } } },
  },
});
