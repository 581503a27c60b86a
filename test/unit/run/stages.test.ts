import { expect, it } from "vitest";
import type { Committed } from "../../../src/consensus/coverage.ts";
import { StageTracker } from "../../../src/run/stages.ts";
import type { RunPlan } from "../../../src/runtime/plan.ts";

const PLAN = {
  tasks: [
    { name: "late", input: { from: "source", name: "flights", port: "main" }, prove: null },
    { name: "daily", input: { from: "task", name: "late", port: "main" }, prove: { kind: "drawn", windows: 1 } },
  ],
} as unknown as RunPlan;

const slot = (rows: number, out: number, end = false): Committed =>
  ({ slot: { input: { rows, end } }, statement: { outputs: { main: { rows: out } } } }) as unknown as Committed;

/** A ledger that is written by hand. */
class Handmade {
  readonly done: Record<string, Committed[]> = { late: [], daily: [] };
  readonly recorded: Record<string, number> = { late: 0, daily: 0 };
  executed = (task: string): readonly Committed[] => this.done[task] ?? [];
  commits = (task: string): readonly Committed[] => this.executed(task).slice(0, this.recorded[task]);
  isComplete = (task: string): boolean => this.commits(task).at(-1)?.slot.input.end === true;
}

it("tells head, lag, rate and what a stage waits for, and how long it has stood still", () => {
  const ledger = new Handmade();
  let seconds = 0;
  let total: number | undefined;
  const tracker = new StageTracker(
    PLAN,
    ledger,
    () => total,
    () => seconds,
  );
  expect(tracker.read()).toMatchObject([
    { stage: "late", headRows: 0, lagRows: undefined, rowsPerSecond: 0, waits: "execution" },
    { stage: "daily", input: "late", lagRows: 0, waits: "input" },
  ]);
  seconds = 2;
  total = 1000;
  ledger.done["late"]?.push(slot(400, 40));
  expect(tracker.read()).toMatchObject([
    { headRows: 400, certifiedRows: 0, outRows: 40, lagRows: 600, rowsPerSecond: 200, idleSeconds: 0, waits: "votes" },
    // What has no certificate yet is no input.
    { lagRows: 0, waits: "input", idleSeconds: 2 },
  ]);
  ledger.recorded["late"] = 1;
  seconds = 3;
  expect(tracker.read()).toMatchObject([
    { certifiedRows: 400, waits: "execution", idleSeconds: 0 },
    { lagRows: 40, waits: "execution" },
  ]);
  ledger.done["late"]?.push(slot(600, 60, true));
  ledger.recorded["late"] = 2;
  ledger.done["daily"]?.push(slot(100, 7, true));
  seconds = 20;
  expect(tracker.read()).toMatchObject([
    { headRows: 1000, lagRows: 0, waits: "done", idleSeconds: 0 },
    { headRows: 100, outRows: 7, waits: "proofs", idleSeconds: 0 },
  ]);
  // Over the last ten seconds, whatever happened before.
  seconds = 50;
  expect(tracker.read()[1]).toMatchObject({ waits: "proofs", idleSeconds: 30, rowsPerSecond: 0 });
  ledger.recorded["daily"] = 1;
  expect(tracker.read()[1]).toMatchObject({ certifiedRows: 100, waits: "done" });
});
