import { Subject } from "rxjs";
import type { Batch } from "../../batch/batch.ts";
import type { StreamForm } from "../../consensus/stream-form.ts";
import { IpdmError } from "../../core/errors.ts";
import type { Hash } from "../../core/ports.ts";
import { cborBlock, decodeStrict } from "../../dag/block.ts";
import { type Flow, isBatch } from "../../streams/flow.ts";
import { GatheringBarrier, openSavepoint, type SavedPlaces } from "../../streams/savepoint.ts";
import { sourceStep } from "../../streams/step.ts";
import type { SavedState, StateSource } from "../../streams/window/state-tree.ts";
import { LATE, LATE_RIGHT, MAIN } from "../plan.ts";
import type { InputPart, PortBatches, StageOperator } from "./operator.ts";
import { streamPipe } from "./stream-pipe.ts";
import type { StreamInput } from "./stream-schema.ts";
import { parseStreamState, type StreamState } from "./stream-state.ts";

/** Batches between two returns to the event loop: operators run on the thread that also serves the network. */
const BATCHES_A_TURN = 32;

/** Runs a task's stream operators as one RxJS stream that lasts from the task's first slot to its last. */
export class StreamOperator implements StageOperator {
  private readonly names: readonly string[];
  private readonly inputs: readonly Subject<Flow>[];
  private readonly ended: boolean[];
  private out: Record<string, Batch[]> = {};
  private failure: { readonly error: unknown } | undefined;

  private constructor(
    form: StreamForm,
    inputs: readonly StreamInput[],
    restored: SavedPlaces | undefined,
    ended: readonly boolean[],
  ) {
    this.names = inputs.map(({ name }) => name);
    this.inputs = inputs.map(() => new Subject<Flow>());
    this.ended = inputs.map(() => false);
    const byName = Object.fromEntries(this.names.map((name, i) => [name, this.inputs[i] as Subject<Flow>]));
    streamPipe(form, byName, (batch, side) => this.keep(side === 0 ? LATE : LATE_RIGHT, batch)).subscribe({
      next: (item) => {
        if (isBatch(item)) this.keep(MAIN, item);
      },
      error: (error: unknown) => {
        this.failure = { error };
      },
    });
    for (const [i, { name, schema }] of inputs.entries()) {
      const steps = [sourceStep(name)];
      this.next(i, { kind: "header", schema, steps, ...(restored === undefined ? {} : { restored }) });
    }
    for (const [i, isOver] of ended.entries()) if (isOver) this.endInput(i);
  }

  /**
   * An operator at the beginning of its inputs, or where a saved state was. Throws `NODE_MALFORMED`, and what opening a savepoint
   * throws.
   */
  static async open(
    form: StreamForm,
    inputs: readonly StreamInput[],
    saved: StateSource | null,
  ): Promise<StreamOperator> {
    if (saved === null) return new StreamOperator(form, inputs, undefined, []);
    const { root, hash, read } = saved;
    const state = parseStreamState(decodeStrict(hash, { cid: root, bytes: await read(root) }));
    if (state.ended.length !== inputs.length) {
      throw new IpdmError("NODE_MALFORMED", `${root.toString()} is a state of ${state.ended.length} inputs`, {
        kind: "verification",
        where: root.toString(),
      });
    }
    return new StreamOperator(form, inputs, await openSavepoint(state.savepoint, hash, read), state.ended);
  }

  async push(
    batches: readonly Batch[],
    _firstRow: number,
    signal: AbortSignal,
    part?: InputPart,
  ): Promise<PortBatches> {
    const input = part?.input ?? 0;
    for (const [i, batch] of batches.entries()) {
      this.next(input, batch);
      if (i % BATCHES_A_TURN === BATCHES_A_TURN - 1) {
        await new Promise<void>((resolve) => setImmediate(resolve));
        signal.throwIfAborted();
      }
    }
    if (part?.end === true) this.endInput(input);
    return this.take();
  }

  async end(): Promise<PortBatches> {
    for (const i of this.inputs.keys()) this.endInput(i);
    return this.take();
  }

  takeFuel(): null {
    return null;
  }

  close(): void {}

  async save(hash: Hash): Promise<SavedState> {
    const barrier = new GatheringBarrier("slot", hash);
    for (const [i, isOver] of this.ended.entries()) if (!isOver) this.next(i, barrier);
    const { root, blocks } = barrier.finish({});
    const state: StreamState = { v: 1, ended: [...this.ended], savepoint: root.cid };
    return { root: cborBlock(hash, state), fresh: [root, ...blocks] };
  }

  private endInput(input: number): void {
    if (this.ended[input] === true) return;
    this.ended[input] = true;
    this.next(input, { kind: "end" });
  }

  // RxJS hands an operator's error to the subscriber; the slot that caused it must fail with it.
  private next(input: number, item: Flow): void {
    this.inputs[input]?.next(item);
    if (this.failure !== undefined) throw this.failure.error;
  }

  private keep(port: string, batch: Batch): void {
    if (batch.rows === 0) return;
    this.out[port] ??= [];
    this.out[port].push(batch);
  }

  private take(): PortBatches {
    const taken = this.out;
    this.out = {};
    return taken;
  }
}
