import { SOURCE_NAME_DEFAULT } from "./limits.ts";

/** What an operator has counted so far; read it at any time. */
export interface Counters {
  rowsIn: number;
  rowsOut: number;
  /** Rows that came too late. */
  late: number;
  /** Bytes of state, as the limits count them. */
  stateBytes: number;
  /** Watermark in microseconds, where the operator has one: -∞ before the first row, of windows and joins +∞ after the end. */
  watermarkUs: number | undefined;
  /** How far the watermark is behind the newest event time, in microseconds; unknown of joins that marks move. */
  watermarkLagUs: number | undefined;
  /** Of an operator of several inputs: the input that the others wait for at the moment, which so holds the watermark back. */
  waitsFor: string | undefined;
}

/** One operator of a running pipeline. */
export interface Step {
  readonly name: string;
  /** What it was told, in the words of the program that made it. */
  readonly detail: string;
  /** Its name in the pipeline: the source's, its number behind it, and its own, as in `flights/3 aggregate`. */
  readonly place: string;
  /** Of a step that has several inputs: what stands before each, by the input's name. */
  readonly inputs?: Readonly<Record<string, readonly Step[]>>;
  readonly counters: Counters;
  /** Of a step that has several inputs: told which one the others wait for, each time that it changes. */
  readonly watchers: ((waitsFor: string | undefined) => void)[];
}

/** The first step of a stream. */
export function sourceStep(name: string, detail = ""): Step {
  return { name: "source", detail, place: name, counters: zeros(), watchers: [] };
}

/** The step that follows others. */
export function stepAfter(before: readonly Step[] | undefined, name: string, detail = ""): Step {
  const first = before?.[0]?.place ?? SOURCE_NAME_DEFAULT;
  const number = before === undefined || before.length === 0 ? 1 : before.length;
  return { name, detail, place: `${first}/${number} ${name}`, counters: zeros(), watchers: [] };
}

/** The first step of what several inputs became. */
export function joinedStep(name: string, detail: string, inputs: Readonly<Record<string, readonly Step[]>>): Step {
  const place = `${name}(${Object.keys(inputs).join(", ")})`;
  return { name, detail, place, inputs, counters: zeros(), watchers: [] };
}

function zeros(): Counters {
  return {
    rowsIn: 0,
    rowsOut: 0,
    late: 0,
    stateBytes: 0,
    watermarkUs: undefined,
    watermarkLagUs: undefined,
    waitsFor: undefined,
  };
}
