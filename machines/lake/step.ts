import type { CID } from "multiformats/cid";
import type { Step } from "../step.ts";
import type { CommittedEvent, KeptEvent, LakeInput, SealedEvent, WantedEvent, WrittenEvent } from "./events.ts";

/** What a lake remembers of a run. */
export interface LakeContext {
  readonly lake: string;
  readonly outputs: readonly string[];
  readonly kept: { readonly statements: number; readonly batches: number; readonly rows: number };
  readonly seal: CID | null;
  /** Rows written by output. */
  readonly written: { readonly [output: string]: number };
}

/** A request of the lake machine, by name. */
export type LakeRequest =
  | { readonly type: "keep"; readonly params: { readonly task: string; readonly seq: number; readonly statement: CID } }
  | { readonly type: "write"; readonly params: { readonly output: string; readonly seal: CID } };

type LakeStep = Step<LakeContext, LakeRequest>;

/** The context a lake begins with. Total: XState probes it without input. */
export function initialLake(input: LakeInput | undefined): LakeContext {
  return {
    lake: input?.lake ?? "",
    outputs: input?.outputs ?? [],
    kept: { statements: 0, batches: 0, rows: 0 },
    seal: null,
    written: {},
  };
}

/** Certified work is kept. */
export function committed(context: LakeContext, event: CommittedEvent): LakeStep {
  const { task, seq, statement } = event;
  return { context, requests: [{ type: "keep", params: { task, seq, statement } }] };
}

/** What is kept is counted. */
export function kept(context: LakeContext, event: KeptEvent): LakeStep {
  const { statements, batches, rows } = context.kept;
  const sum = { statements: statements + 1, batches: batches + event.batches, rows: rows + event.rows };
  return { context: { ...context, kept: sum }, requests: [] };
}

/** Nothing leaves before the seal; then every output does. */
export function sealed(context: LakeContext, event: SealedEvent): LakeStep {
  const seal = event.statement;
  return {
    context: { ...context, seal },
    requests: context.outputs.map((output) => ({ type: "write", params: { output, seal } })),
  };
}

/** An output is where it should be. */
export function written(context: LakeContext, event: WrittenEvent): LakeStep {
  return { context: { ...context, written: { ...context.written, [event.output]: event.rows } }, requests: [] };
}

/** An output is written once more. */
export function wanted(context: LakeContext, event: WantedEvent): LakeStep {
  const { seal } = context;
  return { context, requests: seal === null ? [] : [{ type: "write", params: { output: event.output, seal } }] };
}

/** True when the run is sealed and every output was written. */
export function isPublished(context: LakeContext): boolean {
  return context.seal !== null && context.outputs.every((output) => context.written[output] !== undefined);
}
