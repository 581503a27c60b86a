import type { Batch } from "../../batch/batch.ts";
import { wordsOf, wordsToNumber } from "../../batch/column.ts";
import { rangeOf } from "../../batch/gather.ts";
import { assert } from "../../core/errors.ts";
import type { Barrier } from "../barrier.ts";
import type { Header, Idle, Watermark } from "../flow.ts";
import { timeOf } from "../operators/event-time.ts";
import { timesOf } from "../window/event-clock.ts";
import { LentCredits } from "./lent-credits.ts";
import type { MergeSink } from "./merge-sink.ts";
import { MergedInput } from "./merged-input.ts";
import { type Front, takeTurns } from "./turns.ts";
import { WaitingRows } from "./waiting-rows.ts";

/** Where an input is: the rows of it that wait, marks between them, how many rows were handed on, and what it has promised. */
export interface InputState {
  readonly waiting: readonly Batch[];
  /** Marks that wait, each with the number of waiting rows before it. */
  readonly marks: readonly { readonly before: number; readonly item: Watermark | Idle }[];
  readonly consumed: number;
  readonly promised: number;
}

/**
 * Brings several inputs into one order: always the input whose next row has the least event time goes on, of equal ones the one
 * that was named first; rows of one input stay in their order. So the order depends on rows alone, not on arrival, and an input that is
 * behind is read first while the others wait. An input without a row holds the others back unless it has ended, or has said by a
 * watermark or an idle mark that it has nothing before some time. Batches that wait hold their source's credits.
 */
export class InputMerge {
  private readonly inputs: readonly MergedInput[];
  private readonly sink: MergeSink;
  private begun = false;
  private ended = false;
  private finished = false;
  private isWorking = false;
  /** Something came from within {@link work}. */
  private hasMore = false;
  private watermark = Number.NEGATIVE_INFINITY;
  private barrier: Barrier | undefined;

  constructor(names: readonly string[], sink: MergeSink) {
    this.inputs = names.map((name) => new MergedInput(name));
    this.sink = sink;
  }

  /** The input that the others wait for, if any: the one to ask when nothing comes out. */
  get waitsFor(): string | undefined {
    const isWaiting = this.inputs.some((input) => input.queue.length > 0);
    return isWaiting ? this.inputs.find((input) => input.queue.length === 0 && !input.ended)?.name : undefined;
  }

  header(index: number, header: Header): void {
    const input = this.at(index);
    if (input.header === undefined) input.credits = new LentCredits(header.credits);
    input.header ??= header;
    this.tryBegin();
  }

  /** Takes an item of an input; it keeps batches until their rows are handed on. */
  push(index: number, item: Batch | Watermark | Idle): void {
    const input = this.at(index);
    if (input.ended) return;
    if ("rows" in item) {
      if (item.rows === 0) return;
      input.credits.take();
    } else if (timeOfMark(item) <= input.newest) return;
    else input.newest = timeOfMark(item);
    (input.held ?? input.queue).push(item);
    this.work();
  }

  /** A barrier of an input; one that comes while the others have not seen the one before waits behind it. */
  pass(index: number, barrier: Barrier): void {
    const input = this.at(index);
    if (input.ended) return;
    if (input.held !== undefined) input.held.push(barrier);
    else this.hold(input, barrier);
    this.work();
  }

  end(index: number): void {
    const input = this.at(index);
    input.ended = true;
    input.credits.settle();
    this.tryBegin();
    this.work();
  }

  hasEnded(index: number): boolean {
    return this.at(index).ended;
  }

  /** The order is the same if it goes on from here. Equal rows give equal states, whatever batches they came in. */
  state(): readonly InputState[] {
    return this.inputs.map(({ queue, row, consumed, promised }) => {
      const rows = new WaitingRows();
      const marks: { before: number; item: Watermark | Idle }[] = [];
      for (const [i, item] of queue.entries()) {
        if ("rows" in item) rows.add(item, i === 0 ? row : 0);
        else marks.push({ before: rows.count, item });
      }
      return { waiting: rows.batches(), marks, consumed, promised };
    });
  }

  restore(states: readonly InputState[]): void {
    states.forEach(({ waiting, marks, consumed, promised }, i) => {
      const input = this.at(i);
      const items = [...marks];
      let before = 0;
      const mark = (): void => {
        while (items[0] !== undefined && items[0].before <= before)
          input.queue.push((items.shift() as (typeof items)[0]).item);
      };
      for (const batch of waiting) {
        for (let from = 0; from < batch.rows; ) {
          mark();
          const to = Math.min(batch.rows, from + (items[0] === undefined ? batch.rows : items[0].before - before));
          input.credits.take();
          input.queue.push(rangeOf(batch, from, to));
          before += to - from;
          from = to;
        }
      }
      mark();
      input.consumed = consumed;
      input.promised = promised;
      input.newest = marks.reduce((newest, { item }) => Math.max(newest, timeOfMark(item)), promised);
    });
  }

  /** Goes on where the sink was blocked, if it is no more. */
  resume(): void {
    this.work();
  }

  /** Gives all credits back. */
  close(): void {
    for (const input of this.inputs) {
      for (const item of input.queue.splice(0)) if ("rows" in item) input.credits.giveBack();
      for (const item of input.held?.splice(0) ?? []) if ("rows" in item) input.credits.giveBack();
      input.ended = true;
    }
    this.ended = true;
    this.finished = true;
  }

  private at(index: number): MergedInput {
    return this.inputs[index] as MergedInput;
  }

  /** Keeps what comes behind an input's barrier until the others have seen it. */
  private hold(input: MergedInput, barrier: Barrier): void {
    this.barrier ??= barrier;
    assert(this.barrier === barrier, "inputs have their barriers in one order");
    input.held = [];
    input.credits.settle();
    for (const other of this.inputs) if (other.held === undefined && !other.ended) other.credits.lend();
  }

  private tryBegin(): void {
    if (this.begun || this.inputs.some(({ header, ended }) => header === undefined && !ended)) return;
    this.begun = true;
    this.sink.begin(this.inputs.map(({ header }) => header ?? { kind: "header" }));
    this.work();
  }

  /** Passes the barrier that all inputs have seen; whether there was one. */
  private passBarrier(): boolean {
    const { barrier } = this;
    if (barrier === undefined || this.inputs.some(({ held, ended }) => held === undefined && !ended)) return false;
    this.barrier = undefined;
    this.sink.barrier(barrier);
    const waiting = this.inputs.map(({ held }) => held ?? []);
    for (const input of this.inputs) input.held = undefined;
    for (const [i, input] of this.inputs.entries()) {
      for (const item of waiting[i] ?? []) {
        if ("kind" in item && item.kind === "barrier") {
          if (input.held === undefined) this.hold(input, item);
          else input.held.push(item);
        } else (input.held ?? input.queue).push(item);
      }
    }
    return true;
  }

  /** Hands on what can be. What comes from within waits for the rest: a savepoint never sees half of what a row comes to. */
  private work(): void {
    this.hasMore = true;
    if (this.isWorking) return;
    this.isWorking = true;
    try {
      do {
        this.hasMore = false;
        this.sink.resume();
        this.handOn();
        if (this.sink.isBlocked) return;
        if (this.begun && !this.finished) this.sink.pause();
      } while (!this.sink.isBlocked && (this.passBarrier() || this.hasMore));
      if (!this.ended || this.finished || this.sink.isBlocked) return;
      this.finished = true;
      this.sink.finished();
    } finally {
      this.isWorking = false;
    }
  }

  private handOn(): void {
    while (this.begun && !this.ended && !this.sink.isBlocked) {
      if (this.inputs.length === 2) {
        takeTurns(this.sink, [this.prepared(0), this.prepared(1)]);
        if (this.sink.isBlocked) return;
      }
      let best = -1;
      let bestTime = Number.POSITIVE_INFINITY;
      let limit = Number.POSITIVE_INFINITY;
      let limitIndex = -1;
      for (let i = 0; i < this.inputs.length; i++) {
        const front = this.front(this.at(i));
        if (best < 0 || front < bestTime) {
          [limit, limitIndex] = [bestTime, best];
          [best, bestTime] = [i, front];
        } else if (limitIndex < 0 || front < limit) {
          [limit, limitIndex] = [front, i];
        }
      }
      const input = this.at(best);
      if (input.queue.length === 0) {
        if (bestTime === Number.POSITIVE_INFINITY) this.finish();
        return;
      }
      this.step(input, best, limit, limitIndex);
    }
  }

  /** An input that stands in a batch, with the times of it; undefined where it does not. */
  private prepared(index: number): Front | undefined {
    const input = this.at(index);
    const [batch] = input.queue;
    if (batch === undefined || !("rows" in batch)) return undefined;
    input.times ??= this.timesOf(input, batch);
    return { input, batch, times: input.times };
  }

  /** Least time that an input's next item can have. */
  private front(input: MergedInput): number {
    const [item] = input.queue;
    if (item === undefined) return input.ended && input.held === undefined ? Number.POSITIVE_INFINITY : input.promised;
    if (!("rows" in item)) return timeOfMark(item);
    input.times ??= this.timesOf(input, item);
    return input.times[input.row] as number;
  }

  private timesOf(input: MergedInput, batch: Batch): Float64Array {
    const { column } = timeOf(input.header ?? { kind: "header" }, "a merge of inputs");
    const words = wordsOf(timesOf(batch, column, 0, batch.rows, input.consumed));
    if (input.room.length < batch.rows) input.room = new Float64Array(batch.rows);
    const { room } = input;
    for (let row = 0; row < batch.rows; row++) room[row] = wordsToNumber(words, row);
    return room;
  }

  private step(input: MergedInput, index: number, limit: number, limitIndex: number): void {
    const [item] = input.queue;
    if (item === undefined) return;
    if (!("rows" in item)) {
      input.queue.shift();
      input.promised = Math.max(input.promised, timeOfMark(item));
      return this.moveWatermark(input);
    }
    const times = input.times as Float64Array;
    // A promise leaves room for rows of just that time, and of equal times the input named first goes first.
    const isFirst = index < limitIndex || limitIndex < 0;
    let to = input.row + 1;
    while (to < item.rows && ((times[to] as number) < limit || (isFirst && times[to] === limit))) to++;
    input.took(item, this.sink.rows(index, item, input.row, to, times));
  }

  private moveWatermark(moved: MergedInput): void {
    // Others are over once nothing of them waits: what is heard of an end, and when, decides nothing.
    const others = this.inputs.filter((input) => input !== moved && this.front(input) !== Number.POSITIVE_INFINITY);
    const least = others.reduce((min, { promised }) => Math.min(min, promised), moved.promised);
    if (least <= this.watermark || least === Number.POSITIVE_INFINITY) return;
    this.watermark = least;
    this.sink.watermark(least);
  }

  private finish(): void {
    if (this.inputs.some(({ ended }) => !ended)) return;
    this.ended = true;
    this.sink.end();
  }
}

function timeOfMark(item: Watermark | Idle): number {
  return item.kind === "idle" ? item.untilUs : item.timeUs;
}
