import type { CID } from "multiformats/cid";
import type { Step } from "../step.ts";
import type {
  CertifiedEvent,
  ExecutedEvent,
  OfferedEvent,
  OpenSlot,
  PulledEvent,
  RecordedEvent,
  TaskInput,
} from "./events.ts";

/** What a task remembers. */
export interface TaskContext {
  readonly task: string;
  readonly role: "submitter" | "voter";
  readonly openMax: number;
  readonly nextSeq: number;
  readonly nextRow: number;
  readonly ended: boolean;
  readonly pulling: boolean;
  readonly executing: boolean;
  readonly recording: boolean;
  /** The state after the newest executed slot. */
  readonly state: CID | null;
  readonly open: readonly OpenSlot[];
  readonly records: { readonly head: CID | null; readonly count: number };
}

/** A request of the task machine, by name. */
export type TaskRequest =
  | { readonly type: "pull"; readonly params: { readonly seq: number; readonly from: number } }
  | {
      readonly type: "execute";
      readonly params: { readonly seq: number; readonly slot: CID; readonly state: CID | null };
    }
  | {
      readonly type: "claim";
      readonly params: {
        readonly seq: number;
        readonly slot: CID;
        readonly statement: CID;
        readonly executed: boolean;
        readonly end: boolean;
      };
    }
  | {
      readonly type: "record";
      readonly params: {
        readonly seq: number;
        readonly slot: CID;
        readonly statement: CID;
        readonly certificate: CID;
        readonly prev: CID | null;
      };
    }
  | { readonly type: "complete"; readonly params: { readonly head: CID; readonly count: number } };

/** See {@link Step}. */
export type TaskStep = Step<TaskContext, TaskRequest>;

/** The context a task begins with. Total: XState probes it without input. */
export function initialTask(input: TaskInput | undefined): TaskContext {
  return {
    task: input?.task ?? "",
    role: input?.role ?? "voter",
    openMax: input?.openMax ?? 1,
    nextSeq: 0,
    nextRow: 0,
    ended: false,
    pulling: false,
    executing: false,
    recording: false,
    state: null,
    open: [],
    records: { head: null, count: 0 },
  };
}

/** The submitter begins to pull; a voter waits for offers. */
export function start(context: TaskContext): TaskStep {
  return proceed(context, []);
}

/** A slot is open, by pull or by offer. An offer out of turn is left to be offered again. */
export function opened(context: TaskContext, event: PulledEvent | OfferedEvent): TaskStep {
  const { seq, slot, rows, end } = event;
  const open = [...context.open, { seq, slot, rows, end, statement: null, executed: false, certificate: null }];
  const pulling = event.type === "pulled" ? false : context.pulling;
  return proceed({ ...context, open, pulling, nextSeq: seq + 1, nextRow: context.nextRow + rows, ended: end }, []);
}

/** The statement is claimed before the domain, and the next slot's execution begins. */
export function executed(context: TaskContext, event: ExecutedEvent): TaskStep {
  const { seq, statement, state } = event;
  const open = context.open.map((slot) => (slot.seq === seq ? { ...slot, statement, executed: event.executed } : slot));
  const slot = open.find((candidate) => candidate.seq === seq);
  const claim: TaskRequest[] =
    slot === undefined
      ? []
      : [{ type: "claim", params: { seq, slot: slot.slot, statement, executed: event.executed, end: slot.end } }];
  return proceed({ ...context, open, state, executing: false }, claim);
}

/** Certificates may come in any order; records are made in sequence. */
export function certified(context: TaskContext, event: CertifiedEvent): TaskStep {
  const open = context.open.map((slot) =>
    slot.seq === event.seq ? { ...slot, certificate: event.certificate } : slot,
  );
  return proceed({ ...context, open }, []);
}

/** The slot is done with; after the last one the task is complete. */
export function recorded(context: TaskContext, event: RecordedEvent): TaskStep {
  const open = context.open.filter((slot) => slot.seq !== event.seq);
  const records = { head: event.record, count: context.records.count + 1 };
  return proceed({ ...context, open, records, recording: false }, []);
}

/** Asks for whatever can begin now: at most one pull, one execution and one record at a time. */
function proceed(context: TaskContext, before: readonly TaskRequest[]): TaskStep {
  const requests = [...before];
  let { pulling, executing, recording } = context;
  const { open, records } = context;
  const next = open.find((slot) => slot.statement === null);
  if (!executing && next !== undefined) {
    executing = true;
    requests.push({ type: "execute", params: { seq: next.seq, slot: next.slot, state: context.state } });
  }
  const first = open[0];
  if (!recording && first !== undefined && first.statement !== null && first.certificate !== null) {
    recording = true;
    const { seq, slot, statement, certificate } = first;
    requests.push({ type: "record", params: { seq, slot, statement, certificate, prev: records.head } });
  }
  if (context.role === "submitter" && !pulling && !context.ended && open.length < context.openMax) {
    pulling = true;
    requests.push({ type: "pull", params: { seq: context.nextSeq, from: context.nextRow } });
  }
  if (isComplete(context) && records.head !== null) {
    requests.push({ type: "complete", params: { head: records.head, count: records.count } });
  }
  return { context: { ...context, pulling, executing, recording }, requests };
}

/** True when the last slot of the input is recorded. */
export function isComplete(context: TaskContext): boolean {
  return context.ended && context.open.length === 0;
}
