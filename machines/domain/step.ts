import type { CID } from "multiformats/cid";
import { SEAL_TASK } from "../../src/consensus/statement.ts";
import type { Step } from "../step.ts";
import type {
  Ballot,
  BallotedEvent,
  CertifiedEvent,
  ClaimedEvent,
  CompletedEvent,
  DomainInput,
  ObservedEvent,
} from "./events.ts";

/** What a domain remembers of a run. */
export interface DomainContext {
  readonly domain: string;
  readonly epoch: number;
  readonly membership: CID | null;
  readonly tasks: readonly string[];
  readonly ballots: readonly Ballot[];
  readonly certified: number;
  readonly completed: { readonly [task: string]: { readonly head: CID; readonly count: number } };
  readonly sealing: boolean;
  readonly seal: { readonly slot: CID; readonly statement: CID; readonly certificate: CID } | null;
  readonly evidence: number;
}

/** A request of the domain machine, by name. */
export type DomainRequest =
  | { readonly type: "ballot"; readonly params: Omit<Ballot, "vote"> }
  | {
      readonly type: "cast";
      readonly params: {
        readonly task: string;
        readonly seq: number;
        readonly slot: CID;
        readonly statement: CID;
        readonly vote: CID;
      };
    }
  | {
      readonly type: "deliver";
      readonly params: {
        readonly task: string;
        readonly seq: number;
        readonly statement: CID;
        readonly certificate: CID;
      };
    }
  | { readonly type: "seal"; readonly params: { readonly completed: DomainContext["completed"] } };

type DomainStep = Step<DomainContext, DomainRequest>;

/** The context a domain begins with. Total: XState probes it without input. */
export function initialDomain(input: DomainInput | undefined): DomainContext {
  return {
    domain: input?.domain ?? "",
    epoch: input?.epoch ?? 0,
    membership: input?.membership ?? null,
    tasks: input?.tasks ?? [],
    ballots: [],
    certified: 0,
    completed: {},
    sealing: false,
    seal: null,
    evidence: 0,
  };
}

/** A new claim asks for a ballot. */
export function claimed(context: DomainContext, event: ClaimedEvent): DomainStep {
  const { task, seq, slot, statement, executed, end } = event;
  const claim = { task, seq, slot, statement, executed, end };
  return {
    context: { ...context, ballots: [...context.ballots, { ...claim, vote: null }] },
    requests: [{ type: "ballot", params: claim }],
  };
}

/** A journalled vote may be cast. */
export function balloted(context: DomainContext, event: BallotedEvent): DomainStep {
  const { task, seq, vote } = event;
  const ballots = context.ballots.map((ballot) => (isFor(ballot, event) ? { ...ballot, vote } : ballot));
  const ballot = ballots.find((candidate) => isFor(candidate, event));
  if (ballot === undefined) return { context, requests: [] };
  const { slot, statement } = ballot;
  return {
    context: { ...context, ballots },
    requests: [{ type: "cast", params: { task, seq, slot, statement, vote } }],
  };
}

/** A certificate is delivered to whoever waits for it; that of the seal ends the run. */
export function certified(context: DomainContext, event: CertifiedEvent): DomainStep {
  const { task, seq, certificate } = event;
  const ballot = context.ballots.find((candidate) => isFor(candidate, event));
  if (ballot === undefined) return { context, requests: [] };
  const { slot, statement } = ballot;
  const ballots = context.ballots.filter((candidate) => candidate !== ballot);
  const seal = task === SEAL_TASK ? { slot, statement, certificate } : context.seal;
  return {
    context: { ...context, ballots, certified: context.certified + 1, seal },
    requests: [{ type: "deliver", params: { task, seq, statement, certificate } }],
  };
}

/** After the last task the run is sealed. */
export function completed(context: DomainContext, event: CompletedEvent): DomainStep {
  const { task, head, count } = event;
  const next = { ...context, completed: { ...context.completed, [task]: { head, count } } };
  const ready = !context.sealing && next.tasks.every((name) => next.completed[name] !== undefined);
  if (!ready) return { context: next, requests: [] };
  return { context: { ...next, sealing: true }, requests: [{ type: "seal", params: { completed: next.completed } }] };
}

/** Evidence is counted; the journal keeps it. */
export function observed(context: DomainContext, _event: ObservedEvent): DomainStep {
  return { context: { ...context, evidence: context.evidence + 1 }, requests: [] };
}

/** True when the ballot is for the event's slot. */
export function isFor(
  ballot: { readonly task: string; readonly seq: number },
  event: { readonly task: string; readonly seq: number },
): boolean {
  return ballot.task === event.task && ballot.seq === event.seq;
}
