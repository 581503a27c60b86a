import type { Bench, Measured } from "./harness.ts";
import { checkpoint } from "./sandbox/checkpoint.ts";
import { handoff, runaway } from "./sandbox/handoff.ts";
import { instrumenting } from "./sandbox/instrumenting.ts";
import { kernels } from "./sandbox/kernels.ts";
import { wasi } from "./sandbox/wasi.ts";

/** The parts in the order of their numbers. */
const PARTS: readonly Bench[] = [kernels, instrumenting, handoff, runaway, wasi, checkpoint];

/**
 * What the sandbox costs and how fast it is: metered kernels against the same under raw V8 and under another metering, instrumenting,
 * batches handed to lanes and back, a module that does not end, a program for shells, the state of a module. Everything in one process, interleaved, warm.
 */
export async function sandbox(rounds: number, tell: (line: string) => void): Promise<Measured> {
  const parts: Measured[] = [];
  for (const part of PARTS) parts.push(await part(rounds, tell));
  return {
    metrics: Object.assign({}, ...parts.map(({ metrics }) => metrics)),
    notes: Object.assign({}, ...parts.map(({ notes }) => notes)),
  };
}
