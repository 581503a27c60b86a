import type { Batch } from "../../batch/batch.ts";
import { wordsOf, wordsToNumber } from "../../batch/column.ts";
import type { Barrier } from "../barrier.ts";
import type { Header, Idle, Watermark } from "../flow.ts";
import { timeOf } from "../operators/event-time.ts";
import { timesOf } from "../window/event-clock.ts";
import { LentCredits } from "./lent-credits.ts";
import { MergedInput } from "./merged-input.ts";
import { rowsOf, WaitingRows } from "./waiting-rows.ts";

/** What a merge hands on, in one order that the inputs' rows alone decide. */
export interface MergeSink {
  /** It can take nothing for now: nothing is handed on until {@link InputMerge.resume}. */
  readonly isBlocked: boolean;
  /** Rows before this time may be handed on by {@link quietRows}, out of their order among the inputs: it does not matter for them. */
  readonly quietUntil: number;
  /** Called once, when every input has said what it is. */
  begin(headers: readonly Header[]): void;
  /**
   * Rows `from` to `to` of a batch of that input, with the event times of the whole batch. Returns the row behind those that it took; less
   * than `to` where it is blocked now.
   */
  rows(input: number, batch: Batch, from: number, to: number, times: Float64Array): number;
  quietRows(input: number, batch: Batch, from: number, to: number, times: Float64Array): void;
  /** No input has anything before this time any more. */
  watermark(timeUs: number): void;
  barrier(barrier: Barrier): void;
  /** Nothing more can be handed on for now: what was collected is to come out. */
  pause(): void;
  /** All inputs have ended. */
  end(): void;
  /** It has ended, and is not blocked. */
  finished(): void;
}

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
    }
    (input.held ?? input.queue).push(item);
    this.work();
  }

  pass(index: number, barrier: Barrier): void {
    const input = this.at(index);
    if (input.ended || input.held !== undefined) return;
    this.barrier = barrier;
    input.held = [];
    input.credits.settle();
    for (const other of this.inputs) if (other.held === undefined && !other.ended) other.credits.lend();
    this.tryBarrier();
  }

  end(index: number): void {
    const input = this.at(index);
    input.ended = true;
    input.credits.settle();
    this.tryBegin();
    this.tryBarrier();
    this.work();
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
          input.queue.push(rowsOf(batch, from, to));
          before += to - from;
          from = to;
        }
      }
      mark();
      input.consumed = consumed;
      input.promised = promised;
    });
  }

  /** Goes on where the sink was blocked, if it is no more. */
  resume(): void {
    this.tryBarrier();
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

  private tryBegin(): void {
    if (this.begun || this.inputs.some(({ header, ended }) => header === undefined && !ended)) return;
    this.begun = true;
    this.sink.begin(this.inputs.map(({ header }) => header ?? { kind: "header" }));
    this.work();
  }

  private tryBarrier(): void {
    const { barrier } = this;
    if (
      barrier === undefined ||
      this.sink.isBlocked ||
      this.inputs.some(({ held, ended }) => held === undefined && !ended)
    )
      return;
    this.barrier = undefined;
    this.sink.barrier(barrier);
    for (const input of this.inputs) {
      input.queue.push(...(input.held ?? []));
      input.held = undefined;
    }
    this.work();
  }

  private work(): void {
    this.handOn();
    if (!this.begun || this.sink.isBlocked) return;
    if (!this.ended) this.sink.pause();
    else if (!this.finished) {
      this.finished = true;
      this.sink.finished();
    }
  }

  private handOn(): void {
    while (this.begun && !this.ended && !this.sink.isBlocked) {
      this.takeTurns();
      if (this.sink.isBlocked) return;
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

  /** Hands on what two inputs have while both stand in a batch: what the general way does, without looking at anything else. */
  private takeTurns(): void {
    const [first, second] = this.inputs;
    const [a, b] = [first?.queue[0], second?.queue[0]];
    if (this.inputs.length !== 2 || first === undefined || second === undefined) return;
    if (a === undefined || b === undefined || !("rows" in a) || !("rows" in b)) return;
    const left = (first.times ??= this.timesOf(first, a));
    const right = (second.times ??= this.timesOf(second, b));
    while (!this.ended && !this.sink.isBlocked) {
      if (this.sink.quietUntil > Number.NEGATIVE_INFINITY && !this.takeQuiet(first, a, left, second, b, right)) return;
      if ((left[first.row] as number) <= (right[second.row] as number)) {
        const limit = right[second.row] as number;
        let to = first.row + 1;
        while (to < a.rows && (left[to] as number) <= limit) to++;
        if (this.give(first, 0, a, to, left)) return;
      } else {
        const limit = left[first.row] as number;
        let to = second.row + 1;
        while (to < b.rows && (right[to] as number) < limit) to++;
        if (this.give(second, 1, b, to, right)) return;
      }
    }
  }

  /** Hands on what the inputs have before any row that is not quiet; false when that was all of a batch. */
  private takeQuiet(
    first: MergedInput,
    a: Batch,
    left: Float64Array,
    second: MergedInput,
    b: Batch,
    right: Float64Array,
  ): boolean {
    const { quietUntil } = this.sink;
    let [i, j] = [first.row, second.row];
    while (i < a.rows && j < b.rows) {
      const [l, r] = [left[i] as number, right[j] as number];
      if (l <= r) {
        if (l >= quietUntil) break;
        i++;
      } else {
        if (r >= quietUntil) break;
        j++;
      }
    }
    if (i > first.row) {
      this.sink.quietRows(0, a, first.row, i, left);
      this.took(first, a, i);
    }
    if (j > second.row) {
      this.sink.quietRows(1, b, second.row, j, right);
      this.took(second, b, j);
    }
    return i < a.rows && j < b.rows;
  }

  /** Hands on an input's rows up to one, as far as they are taken; true when the batch is done. */
  private give(input: MergedInput, index: number, batch: Batch, to: number, times: Float64Array): boolean {
    return this.took(input, batch, this.sink.rows(index, batch, input.row, to, times));
  }

  /** Rows up to one were taken; the batch goes when that is its last: true then. */
  private took(input: MergedInput, batch: Batch, to: number): boolean {
    input.consumed += to - input.row;
    input.row = to;
    if (to < batch.rows) return false;
    input.queue.shift();
    input.row = 0;
    input.times = undefined;
    input.credits.giveBack();
    return true;
  }

  /** Least time that an input's next item can have. */
  private front(input: MergedInput): number {
    const [item] = input.queue;
    if (item === undefined) return input.ended && input.held === undefined ? Number.POSITIVE_INFINITY : input.promised;
    if (!("rows" in item)) return item.kind === "idle" ? item.untilUs : item.timeUs;
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
      input.promised = Math.max(input.promised, item.kind === "idle" ? item.untilUs : item.timeUs);
      return this.moveWatermark(input);
    }
    const times = input.times as Float64Array;
    // A promise leaves room for rows of just that time, and of equal times the input named first goes first.
    const isFirst = index < limitIndex || limitIndex < 0;
    let to = input.row + 1;
    while (to < item.rows && ((times[to] as number) < limit || (isFirst && times[to] === limit))) to++;
    this.give(input, index, item, to, times);
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
