import { Observable, Subscription } from "rxjs";
import type { Batch } from "../../batch/batch.ts";
import type { Schema } from "../../batch/schema.ts";
import { schemaOf, schemaToIpld } from "../../batch/schema.ts";
import { within } from "../../core/errors.ts";
import type { Ipld } from "../../dag/block.ts";
import type { Barrier } from "../barrier.ts";
import { jointCredits } from "../credits.ts";
import { type Flow, type Header, isBatch, type OperatorText } from "../flow.ts";
import { Outlet } from "../outlet.ts";
import { schemaOfIpld } from "../savepoint.ts";
import { joinedStep, type Step } from "../step.ts";
import { malformed, partOf } from "../window/state-bytes.ts";
import { InputMerge, type InputState } from "./input-merge.ts";
import { type MergeSink, NEVER_QUIET, type Quiet } from "./merge-sink.ts";
import type { MakeStage, MergeStage } from "./merge-stage.ts";
import { loadRows, type RowsState, saveRows } from "./rows-state.ts";

/** A stream from several, which are brought into one order: see {@link InputMerge}. */
export function merging(
  inputs: Readonly<Record<string, Observable<Flow>>>,
  text: OperatorText,
  make: MakeStage,
): Observable<Flow> {
  const names = Object.keys(inputs);
  return new Observable<Flow>((out) => {
    const resume = (): void => {
      if (!out.closed) guarded(() => run.resumed());
    };
    const run = new Merging(names, { text, make, resume }, (item) => out.next(item));
    const guarded = (work: () => void): void => {
      try {
        work();
        if (run.ended && !out.closed) out.complete();
      } catch (error) {
        out.error(run.step === undefined ? error : within(run.step.place, error));
      }
    };
    const subscriptions = new Subscription(() => run.close());
    out.add(subscriptions);
    for (const [index, input] of Object.values(inputs).entries()) {
      if (out.closed) return;
      subscriptions.add(
        input.subscribe({
          next: (item) => guarded(() => run.taken(index, item)),
          error: (error: unknown) => out.error(error),
          complete: () => guarded(() => run.inputEnded(index)),
        }),
      );
    }
  });
}

/** What a merge does, what it is called, and how it is asked to go on. */
interface How {
  readonly text: OperatorText;
  readonly make: MakeStage;
  readonly resume: () => void;
}

/** One subscription. */
class Merging implements MergeSink {
  readonly merge: InputMerge;
  step: Step | undefined;
  ended = false;
  private stage: MergeStage | undefined;
  private readonly names: readonly string[];
  private readonly how: How;
  private outlet: Outlet | undefined;
  private closed = false;
  private readonly out: (item: Flow) => void;
  private readonly schemas: (Schema | undefined)[];
  private readonly begun: boolean[];

  constructor(names: readonly string[], how: How, out: (item: Flow) => void) {
    this.names = names;
    this.how = how;
    this.out = out;
    this.schemas = names.map(() => undefined);
    this.begun = names.map(() => false);
    this.merge = new InputMerge(names, this);
  }

  get isBlocked(): boolean {
    return this.closed || (this.stage?.isBlocked ?? false);
  }

  get quiet(): Quiet {
    return this.stage?.quiet ?? NEVER_QUIET;
  }

  /** Takes an item, and tells which input is now waited for. */
  taken(index: number, item: Flow): void {
    this.take(index, item);
    this.tellWait();
  }

  /** An input has ended. */
  inputEnded(index: number): void {
    this.merge.end(index);
    this.tellWait();
  }

  resume(): void {
    this.stage?.resume();
  }

  /** Goes on where the stage was blocked. */
  resumed(): void {
    this.merge.resume();
    this.tellWait();
  }

  close(): void {
    this.closed = true;
    this.outlet?.close();
    this.merge.close();
  }

  private take(index: number, item: Flow): void {
    if (isBatch(item)) {
      this.schemas[index] ??= item.schema;
      if (!this.begun[index]) this.give(index, { kind: "header" });
      return this.merge.push(index, item);
    }
    switch (item.kind) {
      case "header":
        return this.give(index, item);
      case "end":
        return this.merge.end(index);
      case "barrier":
        return this.merge.pass(index, item);
      case "watermark":
      case "idle":
        return this.merge.push(index, item);
    }
  }

  begin(headers: readonly Header[]): void {
    const before = Object.fromEntries(this.names.map((name, i) => [name, headers[i]?.steps ?? []]));
    const { text, make, resume } = this.how;
    const step = joinedStep(text.name, text.detail ?? "", before);
    this.step = step;
    const counted = (item: Flow): void => {
      if (isBatch(item)) step.counters.rowsOut += item.rows;
      this.out(item);
    };
    const outlet = new Outlet(jointCredits(headers.map((header) => header.credits)), resume);
    this.outlet = outlet;
    const schemas = (input: number): Schema | undefined => this.schemas[input];
    const stage = make(headers, {
      schemas,
      hasEnded: (input) => this.merge.hasEnded(input),
      out: counted,
      isFree: () => !this.closed && outlet.isOpen,
      step,
    });
    this.stage = stage;
    const restored = headers.find((header) => header.restored !== undefined)?.restored;
    this.out({
      kind: "header",
      ...stage.header,
      credits: outlet,
      steps: [step],
      ...(restored === undefined ? {} : { restored }),
    });
    const saved = restored?.state(step.place);
    if (saved !== undefined) this.restore(loadRows(saved.state));
  }

  rows(input: number, batch: Batch, from: number, to: number, times: Float64Array): number {
    const reached = this.stage?.rows(input, batch, from, to, times) ?? to;
    if (this.step !== undefined) this.step.counters.rowsIn += reached - from;
    return reached;
  }

  quietRows(input: number, batch: Batch, from: number, to: number, times: Float64Array): void {
    if (this.step !== undefined) this.step.counters.rowsIn += to - from;
    this.stage?.quietRows?.(input, batch, from, to, times);
  }

  watermark(timeUs: number): void {
    this.stage?.watermark(timeUs);
  }

  pause(): void {
    this.stage?.pause();
  }

  barrier(barrier: Barrier): void {
    if (this.step !== undefined) barrier.add(this.step.place, saveRows(barrier.hash, this.save()), EMPTY);
    this.out(barrier);
  }

  end(): void {
    this.stage?.end();
  }

  finished(): void {
    this.ended = true;
    this.out({ kind: "end" });
  }

  private tellWait(): void {
    const { step, merge } = this;
    if (this.isBlocked) this.outlet?.wait();
    if (step === undefined) return;
    const { waitsFor } = merge;
    if (waitsFor === step.counters.waitsFor) return;
    step.counters.waitsFor = waitsFor;
    for (const told of step.watchers) told(waitsFor);
  }

  private give(index: number, header: Header): void {
    this.begun[index] = true;
    this.schemas[index] ??= header.schema;
    this.merge.header(index, header);
  }

  private save(): RowsState {
    const own = this.stage?.save?.() ?? { lists: [], about: null };
    const inputs = this.merge.state();
    const about = {
      own: own.about,
      lists: own.lists.length,
      inputs: inputs.map(({ consumed, promised, marks }) => ({
        consumed,
        promised: Number.isFinite(promised) ? promised : null,
        marks: marks.map(({ before, item }) => [before, item.kind, item.kind === "idle" ? item.untilUs : item.timeUs]),
      })),
      schemas: this.schemas.map((schema): Ipld => (schema === undefined ? null : schemaToIpld(schema))),
    };
    return { lists: [...own.lists, ...inputs.map(({ waiting }) => waiting)], about };
  }

  /** Throws `WINDOW_SNAPSHOT_MALFORMED`. */
  private restore({ lists, about }: RowsState): void {
    const own = partOf(about, "lists");
    const schemas = partOf(about, "schemas");
    const inputs = partOf(about, "inputs");
    if (
      typeof own !== "number" ||
      !Array.isArray(schemas) ||
      !Array.isArray(inputs) ||
      lists.length !== own + this.names.length
    )
      throw malformed("inputs");
    (schemas as readonly Ipld[]).forEach((schema, i) => {
      if (schema !== null) this.schemas[i] = schemaOfIpld(schema);
    });
    this.stage?.restore?.({ lists: lists.slice(0, own), about: partOf(about, "own") ?? null });
    this.merge.restore(
      (inputs as readonly Ipld[]).map((input, i): InputState => {
        const [consumed, promised] = [partOf(input, "consumed"), partOf(input, "promised")];
        return {
          waiting: lists[own + i] ?? [],
          marks: marksOf(partOf(input, "marks")),
          consumed: typeof consumed === "number" ? consumed : 0,
          promised: typeof promised === "number" ? promised : Number.NEGATIVE_INFINITY,
        };
      }),
    );
  }
}

/** Marks between waiting rows. Throws `WINDOW_SNAPSHOT_MALFORMED`. */
function marksOf(value: Ipld | undefined): InputState["marks"] {
  if (!Array.isArray(value)) throw malformed("marks");
  return (value as readonly Ipld[]).map((each) => {
    const [before, kind, time] = Array.isArray(each) ? (each as readonly Ipld[]) : [];
    if (typeof before !== "number" || typeof time !== "number" || (kind !== "idle" && kind !== "watermark"))
      throw malformed("marks");
    return { before, item: kind === "idle" ? { kind, untilUs: time } : { kind, timeUs: time } };
  });
}

/** A savepoint names a schema for each place; an operator of several inputs keeps those of its inputs itself. */
const EMPTY = schemaOf([{ name: "none", type: "bool", nullable: false }]);
