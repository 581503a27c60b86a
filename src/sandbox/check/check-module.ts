import type { Batch } from "../../batch/batch.ts";
import { decodeBatch } from "../../batch/batch.ts";
import type { Schema } from "../../batch/schema.ts";
import { IpdmError } from "../../core/errors.ts";
import type { Hash } from "../../core/ports.ts";
import { openLanes } from "../lane-pool.ts";
import type { Lane, ModuleSpec } from "../port.ts";
import { checkRowsProperty } from "../rows-property.ts";
import { analyseModule, type ModuleFacts } from "./analyse.ts";
import { type CallOutcome, exercise } from "./exercise.ts";
import { exerciseInProcess } from "./exercise-process.ts";
import { sampleBatches } from "./samples.ts";

/** Random splits that each batch of a `rows` module has to survive. */
const SPLITS = 3;

/** The runs that have to come to the same: the flags of a process of its own, or null for a run in this one. */
export const CHECK_RUNS: readonly { readonly name: string; readonly flags: readonly string[] | null }[] = [
  { name: "this process", flags: null },
  { name: "this process, again", flags: null },
  { name: "--liftoff-only", flags: ["--liftoff-only"] },
  { name: "--no-liftoff", flags: ["--no-liftoff"] },
];

/** Something for which a module does not pass. */
export interface CheckFault {
  readonly code: string;
  readonly message: string;
}

/** What the calls of a check came to. */
export interface CheckCalls {
  /** Names of {@link CHECK_RUNS} that were made. */
  readonly runs: readonly string[];
  /** Whether the rows were given; else they were made up. */
  readonly given: boolean;
  readonly calls: number;
  /** Calls with rows that gave an output; the others stopped with a code, the same in every run. */
  readonly completed: number;
  readonly rows: number;
  readonly rowsOut: number;
  /** Fuel of all completed calls, and the most that one took for each of its rows. */
  readonly fuel: number;
  readonly fuelPerRowMost: number;
  /** How many calls stopped with each code. */
  readonly stopped: Readonly<Record<string, number>>;
  /** Splits that a `rows` module survived. */
  readonly splits: number;
}

/** What a check found. `facts` and `calls` are there as far as it got. */
export interface CheckReport {
  readonly ok: boolean;
  readonly faults: readonly CheckFault[];
  readonly facts: ModuleFacts | undefined;
  readonly calls: CheckCalls | undefined;
}

/** How to check: over the rows given, or over made-up ones. */
export interface CheckOptions {
  readonly hash: Hash;
  readonly batches?: readonly Batch[] | undefined;
  /** Columns that made-up rows have; without them they have those of several schemas. */
  readonly schema?: Schema | undefined;
  /** Rows of a unit, for a module of kind `batch`: made-up batches are no larger. */
  readonly unit?: number | null | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Checks a module: what it is, without running it; then the same calls twice in this process and once with each of V8's compilers alone,
 * which have to give the same bytes for the same fuel; and random splits for one of kind `rows`. What is wrong with the module
 * stands in the report (codes of the sandbox, `CHECK_DIFFERS`, `CHECK_NOT_EXERCISED`). Throws what is this node's fault (`LANE_*`) and
 * the signal's reason.
 */
export async function checkModule(spec: ModuleSpec, options: CheckOptions): Promise<CheckReport> {
  let facts: ModuleFacts;
  try {
    facts = analyseModule(options.hash, spec);
  } catch (error) {
    return { ok: false, faults: [faultOf(error)], facts: undefined, calls: undefined };
  }
  const lane = openLanes({ lanes: 1 });
  try {
    return { ...(await new Calls(spec, options, lane).check()), facts };
  } catch (error) {
    options.signal?.throwIfAborted();
    return { ok: false, faults: [faultOf(error)], facts, calls: undefined };
  } finally {
    await lane.close();
  }
}

class Calls {
  private readonly spec: ModuleSpec;
  private readonly options: CheckOptions;
  private readonly lane: Lane;
  private readonly batches: readonly Batch[];
  private readonly given: boolean;

  constructor(spec: ModuleSpec, options: CheckOptions, lane: Lane) {
    this.spec = spec;
    this.options = options;
    this.lane = lane;
    this.given = options.batches !== undefined;
    this.batches = options.batches ?? sampleBatches(options.schema, options.unit ?? undefined);
  }

  async check(): Promise<Omit<CheckReport, "facts">> {
    const { hash, signal } = this.options;
    const work = { spec: this.spec, batches: this.batches.map(({ bytes }) => bytes) };
    const faults: CheckFault[] = [];
    const [first, ...others] = CHECK_RUNS;
    const reference = await exercise(hash, this.lane, work, signal);
    for (const { name, flags } of others) {
      const outcomes =
        flags === null ? await exercise(hash, this.lane, work, signal) : await exerciseInProcess(work, flags, signal);
      const fault = outcomeDifference(reference, outcomes, name);
      if (fault !== undefined) faults.push(fault);
    }
    const completed = reference.filter(({ code, rows }) => code === null && rows > 0);
    const failed = reference.find(({ code }) => code !== null);
    if (this.given && failed !== undefined) faults.push({ code: failed.code ?? "", message: failed.message });
    if (completed.length === 0) faults.push(notExercised(failed, this.given));
    const splits = await this.split(reference, faults);
    const runs = [first?.name ?? "", ...others.map(({ name }) => name)];
    return { ok: faults.length === 0, faults, calls: { runs, given: this.given, splits, ...summed(reference) } };
  }

  /** Cuts what a `rows` module gave an output for at random places. Returns how many cuts it survived. */
  private async split(reference: readonly CallOutcome[], faults: CheckFault[]): Promise<number> {
    if (this.spec.kind !== "rows") return 0;
    const { signal } = this.options;
    const handle = await this.lane.load(this.spec, signal === undefined ? {} : { signal });
    let splits = 0;
    for (const [at, batch] of this.batches.entries()) {
      if (reference[at]?.code !== null || batch.rows < 2) continue;
      try {
        await checkRowsProperty(handle, decodeBatch(batch.bytes), SPLITS, signal === undefined ? {} : { signal });
        splits += SPLITS;
      } catch (error) {
        faults.push(faultOf(error));
        break;
      }
    }
    return splits;
  }
}

/** The first call that did not come to the same, as a fault of the module. */
export function outcomeDifference(
  reference: readonly CallOutcome[],
  outcomes: readonly CallOutcome[],
  run: string,
): CheckFault | undefined {
  for (const [at, expected] of reference.entries()) {
    const found = outcomes[at];
    if (found?.output === expected.output && found.code === expected.code && found.fuel === expected.fuel) continue;
    const said = ({ code, output, fuel }: CallOutcome): string => code ?? `${output} for ${fuel} fuel`;
    const other = found === undefined ? "nothing" : said(found);
    return {
      code: "CHECK_DIFFERS",
      message: `call ${at} of ${expected.rows} rows gives ${said(expected)}, and with ${run} ${other}`,
    };
  }
  return undefined;
}

function notExercised(failed: CallOutcome | undefined, given: boolean): CheckFault {
  const why = failed === undefined ? "there are no rows" : `the first says: ${failed.message}`;
  const hint = given ? "" : "; give it rows that it is made for: --input <file>";
  return { code: "CHECK_NOT_EXERCISED", message: `no call with rows gave an output (${why})${hint}` };
}

function summed(
  outcomes: readonly CallOutcome[],
): Pick<CheckCalls, "calls" | "completed" | "rows" | "rowsOut" | "fuel" | "fuelPerRowMost" | "stopped"> {
  const completed = outcomes.filter(({ code, rows }) => code === null && rows > 0);
  const stopped: Record<string, number> = {};
  for (const { code } of outcomes) if (code !== null) stopped[code] = (stopped[code] ?? 0) + 1;
  return {
    calls: outcomes.length,
    completed: completed.length,
    rows: completed.reduce((sum, { rows }) => sum + rows, 0),
    rowsOut: completed.reduce((sum, { rowsOut }) => sum + rowsOut, 0),
    fuel: completed.reduce((sum, { fuel }) => sum + fuel, 0),
    fuelPerRowMost: completed.reduce((most, { fuel, rows }) => Math.max(most, Math.ceil(fuel / rows)), 0),
    stopped,
  };
}

/** What a module did wrong, as a fault of the report; what is no word about the module is thrown on. */
function faultOf(error: unknown): CheckFault {
  if (!(error instanceof IpdmError) || !error.code.startsWith("MODULE_")) throw error;
  return { code: error.code, message: error.message };
}
