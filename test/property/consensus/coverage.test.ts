import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Committed, coverageFault, type TaskCommits } from "../../../src/consensus/coverage.ts";
import type { Slot } from "../../../src/consensus/slot.ts";
import type { Statement } from "../../../src/consensus/statement.ts";
import { linkTo } from "./domain.ts";
import { pipelineOf, shape } from "./pipeline.ts";

type Change = (commits: readonly Committed[], at: number) => readonly Committed[];

const edit = (
  commits: readonly Committed[],
  at: number,
  change: (commit: Committed) => Committed,
): readonly Committed[] => commits.map((commit, i) => (i === at ? change(commit) : commit));
const statement =
  (change: (statement: Statement) => Partial<Statement>): Change =>
  (commits, at) =>
    edit(commits, at, (commit) => ({ ...commit, statement: { ...commit.statement, ...change(commit.statement) } }));
const input =
  (change: (input: Slot["input"]) => Partial<Slot["input"]>): Change =>
  (commits, at) =>
    edit(commits, at, (commit) => ({
      ...commit,
      slot: { ...commit.slot, input: { ...commit.slot.input, ...change(commit.slot.input) } },
    }));
const main = (change: (output: Statement["outputs"][string]) => Partial<Statement["outputs"][string]>): Change =>
  statement(({ outputs }) => ({
    outputs: {
      main: {
        ...(outputs["main"] as Statement["outputs"][string]),
        ...change(outputs["main"] as Statement["outputs"][string]),
      },
    },
  }));

const faults: readonly (readonly [string, Change])[] = [
  ["a statement is missing", (commits, at) => commits.filter((_, i) => i !== at)],
  ["a statement stands twice", (commits, at) => [...commits.slice(0, at + 1), ...commits.slice(at)]],
  ["nothing is there", () => []],
  [
    "the slot is another task's",
    (commits, at) => edit(commits, at, (commit) => ({ ...commit, slot: { ...commit.slot, task: "third" } })),
  ],
  ["the statement is for another slot", statement(() => ({ slot: linkTo("another") }))],
  ["the statement is for another stage", statement(() => ({ stage: linkTo("another") }))],
  ["the slot's rows leave a gap", input(({ from }) => ({ from: from + 1 }))],
  ["the slot's rows overlap", input(({ from }) => ({ from: from - 1 }))],
  ["the statement is for more rows", statement(({ input: { from, rows } }) => ({ input: { from, rows: rows + 1 } }))],
  [
    "the statement is for rows further on",
    statement(({ input: { from, rows } }) => ({ input: { from: from + 1, rows } })),
  ],
  ["the end is elsewhere", input(({ end }) => ({ end: !end }))],
  ["tables are closed elsewhere", statement(({ tables }) => ({ tables: tables === null ? {} : null }))],
  ["the chain of states breaks", statement(({ state }) => ({ state: { ...state, before: linkTo("another state") } }))],
  ["output rows leave a gap", main(({ from }) => ({ from: from + 1 }))],
  ["output rows are more than the table's or the next task's", main(({ rows }) => ({ rows: rows + 1 }))],
];

describe("coverage", () => {
  it("finds no fault in a pipeline that has none", () => {
    fc.assert(
      fc.property(shape, (made) => {
        const { tasks, rows } = pipelineOf(made);
        expect(coverageFault(tasks, rows)).toBeUndefined();
      }),
      { numRuns: 50 },
    );
  });

  it.each(faults)("finds that %s, at any statement of any task", (_, change) => {
    fc.assert(
      fc.property(shape, fc.nat(5), fc.nat(1), (made, place, which) => {
        const { tasks, rows } = pipelineOf(made);
        const changed = tasks.map(
          (task, i): TaskCommits =>
            i === which ? { ...task, commits: change(task.commits, place % task.commits.length) } : task,
        );
        expect(coverageFault(changed, rows)?.code).toBe("COVERAGE_GAP");
      }),
      { numRuns: 30 },
    );
  });

  it("finds that a slot is of other work than its task's first", () => {
    const { tasks, rows } = pipelineOf({
      slots: [
        { rows: 5, keeps: 2 },
        { rows: 1, keeps: 1 },
      ],
      outRows: 1,
    });
    const changed = tasks.map((task) => ({
      ...task,
      commits: edit(task.commits, 1, ({ slot, ...rest }) => ({ ...rest, slot: { ...slot, key: linkTo("other") } })),
    }));
    expect(coverageFault(changed, rows)).toMatchObject({ code: "COVERAGE_GAP", where: "first/1" });
  });

  it("finds that a source has more or fewer rows, or is unknown", () => {
    const { tasks, rows } = pipelineOf({ slots: [{ rows: 5, keeps: 2 }], outRows: 1 });
    for (const other of [{ src: (rows["src"] ?? 0) + 1 }, { src: 0 }, {}])
      expect(coverageFault(tasks, other as Record<string, number>)?.where).toBe("first");
  });

  it("finds that a task read other batches than the one before it made, or fewer, or in another order", () => {
    const { tasks, rows } = pipelineOf({
      slots: [
        { rows: 5, keeps: 2 },
        { rows: 5, keeps: 5 },
        { rows: 1, keeps: 1 },
      ],
      outRows: 1,
    });
    const [first, second] = tasks as [TaskCommits, TaskCommits];
    const batches = second.commits.map(({ slot }) => slot.input.batches);
    const others = [
      [[linkTo("invented")], batches[1], batches[2]],
      [batches[0], batches[1], []],
      [batches[1], batches[0], batches[2]],
      [batches[0], batches[1], [...(batches[2] ?? []), linkTo("more")]],
    ];
    for (const other of others) {
      const commits = second.commits.map((commit, i) => ({
        ...commit,
        slot: { ...commit.slot, input: { ...commit.slot.input, batches: other[i] ?? [] } },
      }));
      expect(coverageFault([first, { ...second, commits }], rows)).toMatchObject({
        code: "COVERAGE_GAP",
        where: "second",
      });
    }
    expect(coverageFault([second], rows)).toMatchObject({ code: "COVERAGE_GAP", where: "second" });
  });
});
