import type { Ledger } from "../../actors/node/ledger.ts";
import type { RunPlan } from "../runtime/plan.ts";

/** What a stage waits for now: `input` of the stage before it, `execution`, `proofs` and `votes` for what it executed, or nothing more. */
export type StageWait = "input" | "execution" | "proofs" | "votes" | "done";

/** How far a stage is, in rows of its input unless said otherwise. */
export interface StageStatus {
  readonly stage: string;
  /** Name of the source or stage that it reads. */
  readonly input: string;
  /** Rows that it has executed, and of these the ones with a certificate. */
  readonly headRows: number;
  readonly certifiedRows: number;
  /** Rows that it made, over all its outputs. */
  readonly outRows: number;
  /** Rows of its input that are there and that it has not executed; undefined while nobody knows how many there are. */
  readonly lagRows: number | undefined;
  /** Rows a second over the last seconds. */
  readonly rowsPerSecond: number;
  /** Seconds since its head or its certificates moved; 0 for one that is done. */
  readonly idleSeconds: number;
  readonly waits: StageWait;
}

/** Seconds over which a rate is taken. */
const RATE_SECONDS = 10;

interface Sample {
  readonly at: number;
  readonly rows: number;
}

interface Track {
  readonly samples: Sample[];
  movedAt: number;
  marks: string;
}

/** Tells how the stages of a run stand, from the submitting node's ledger; `seconds` is a clock, and `totalOf` what is known of a source's rows. */
export class StageTracker {
  private readonly plan: RunPlan;
  private readonly ledger: Pick<Ledger, "executed" | "commits" | "isComplete">;
  private readonly totalOf: (source: string) => number | undefined;
  private readonly seconds: () => number;
  private readonly tracks = new Map<string, Track>();

  constructor(
    plan: RunPlan,
    ledger: Pick<Ledger, "executed" | "commits" | "isComplete">,
    totalOf: (source: string) => number | undefined,
    seconds: () => number = () => performance.now() / 1000,
  ) {
    this.plan = plan;
    this.ledger = ledger;
    this.totalOf = totalOf;
    this.seconds = seconds;
  }

  /** All stages, in the order of the plan. */
  read(): readonly StageStatus[] {
    return this.plan.tasks.map((task) => this.status(task));
  }

  private status({ name, input, prove }: RunPlan["tasks"][number]): StageStatus {
    const { ledger } = this;
    const executed = ledger.executed(name);
    const certified = ledger.commits(name).length;
    const isDone = ledger.isComplete(name);
    let headRows = 0;
    let certifiedRows = 0;
    let outRows = 0;
    for (const [i, { slot, statement }] of executed.entries()) {
      headRows += slot.input.rows;
      if (i < certified) certifiedRows += slot.input.rows;
      for (const output of Object.values(statement.outputs)) outRows += output.rows;
    }
    const there = input.from === "source" ? this.totalOf(input.name) : this.made(input.name, input.port);
    const lagRows = there === undefined ? undefined : Math.max(0, there - headRows);
    const { rowsPerSecond, idleSeconds } = this.moved(name, headRows, certified);
    const hasInput = lagRows !== 0 || input.from === "source";
    const open: StageWait = prove !== null && executed.at(-1)?.slot.input.end === true ? "proofs" : "votes";
    const busy: StageWait = executed.length > certified ? open : hasInput ? "execution" : "input";
    return {
      stage: name,
      input: input.name,
      headRows,
      certifiedRows,
      outRows,
      lagRows: isDone ? 0 : lagRows,
      rowsPerSecond,
      idleSeconds: isDone ? 0 : idleSeconds,
      waits: isDone ? "done" : busy,
    };
  }

  /** Rows of an output that the next stage may read: those of recorded statements. */
  private made(task: string, port: string): number {
    return this.ledger.commits(task).reduce((sum, { statement }) => sum + (statement.outputs[port]?.rows ?? 0), 0);
  }

  private moved(stage: string, rows: number, certified: number): { rowsPerSecond: number; idleSeconds: number } {
    const now = this.seconds();
    const marks = `${rows}/${certified}`;
    let track = this.tracks.get(stage);
    if (track === undefined) {
      track = { samples: [{ at: now, rows }], movedAt: now, marks };
      this.tracks.set(stage, track);
    }
    if (track.marks !== marks) {
      track.marks = marks;
      track.movedAt = now;
    }
    const { samples } = track;
    samples.push({ at: now, rows });
    // One sample older than the window stays, so that it is spanned.
    while ((samples[1]?.at ?? now) < now - RATE_SECONDS) samples.shift();
    const oldest = samples[0] as Sample;
    const span = now - oldest.at;
    return { rowsPerSecond: span > 0 ? (rows - oldest.rows) / span : 0, idleSeconds: now - track.movedAt };
  }
}
