import { setup } from "xstate";
import { stepAction } from "../step.ts";
import type { DomainEvent, DomainInput } from "./events.ts";
import { awaitsCertificate, awaitsVote, isNewClaim, isNewCompletion, keepsEvidence } from "./guards.ts";
import type { DomainContext } from "./step.ts";
import { balloted, certified, claimed, completed, initialDomain, observed } from "./step.ts";

/** Requests a domain makes of its actor. */
export const DOMAIN_REQUESTS = ["ballot", "cast", "deliver", "seal"] as const;

/**
 * A domain in one run, on one node: it turns claims into votes (fixed in the journal before they are cast), votes into
 * certificates, and, when every task is complete, seals the run the same way.
 */
export const domainMachine = setup({
  types: { context: {} as DomainContext, events: {} as DomainEvent, input: {} as DomainInput },
  actions: {
    keepClaim: stepAction(claimed),
    keepVote: stepAction(balloted),
    keepCertificate: stepAction(certified),
    keepCompletion: stepAction(completed),
    keepEvidence: stepAction(observed),
  },
  guards: {
    isNewClaim: ({ context, event }) => event.type === "claimed" && isNewClaim(context, event),
    awaitsVote: ({ context, event }) => event.type === "balloted" && awaitsVote(context, event),
    awaitsCertificate: ({ context, event }) => event.type === "certified" && awaitsCertificate(context, event),
    isNewCompletion: ({ context, event }) => event.type === "completed" && isNewCompletion(context, event),
    keepsEvidence: ({ context, event }) => event.type === "observed" && keepsEvidence(context, event),
    isSealed: ({ context }) => context.seal !== null,
  },
}).createMachine({
  id: "domain",
  context: ({ input }) => initialDomain(input),
  initial: "open",
  states: {
    open: {
      always: { guard: "isSealed", target: "sealed" },
      on: {
        claimed: { guard: "isNewClaim", actions: "keepClaim" },
        balloted: { guard: "awaitsVote", actions: "keepVote" },
        certified: { guard: "awaitsCertificate", actions: "keepCertificate" },
        completed: { guard: "isNewCompletion", actions: "keepCompletion" },
        observed: { guard: "keepsEvidence", actions: "keepEvidence" },
      },
    },
    sealed: { on: { observed: { guard: "keepsEvidence", actions: "keepEvidence" } } },
  },
});
