import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { type Measured, median, rounded, type Tell } from "../harness.ts";
import { fdatasync, level } from "./disk.ts";
import { orbitdb } from "./orbitdb.ts";
import { ours } from "./ours.ts";
import { restate } from "./restate.ts";
import { sqliteEach, sqliteGroup } from "./sqlite.ts";
import { type Driven, drive, inFolder, type Open, type Slice, type Subject } from "./subject.ts";
import { eventsOf } from "./workload.ts";

const FLIGHT = 64;
/** The disk's rate drifts within seconds: subjects take turns in slices this short, and ratios are of slices beside each other. */
const SLICES = 3;
const SLICE: Slice = { warmMs: 200, ms: 700 };
/** Restate answers after some 100 ms, so that a short slice would see only its beginning. */
const LONG: Slice = { warmMs: 700, ms: 1500 };
/** A slice in which nothing came counts as one in which one event did. */
const LEAST = 1000 / SLICE.ms;
const EVENTS = eventsOf(FLIGHT, 600);

/** Durable events a second: ours against the same over other stores, with 64 actors in flight and with one; interleaved. */
export async function appends(rounds: number, tell: Tell): Promise<Measured> {
  const many = { ours, sqliteEach, sqliteGroup, level, orbitdb: await orbitdb() };
  const runs = new Map<string, Driven[]>();
  for (let round = 1; round <= rounds; round++) {
    await turns(runs, "64", Object.entries(many), FLIGHT, SLICE);
    await turns(runs, "1", Object.entries({ ours, disk: fdatasync }), 1, SLICE);
    await turns(runs, "64-long", Object.entries({ ours, restate: await restate() }), FLIGHT, LONG, 1);
    for (const [name, driven] of runs)
      tell(`round ${round}: ${name} ${Math.round(driven.at(-1)?.perSecond ?? 0)} events/s`);
  }
  const rate = (name: string): number[] => (runs.get(name) ?? []).map(({ perSecond }) => perSecond);
  const metrics: Record<string, number> = {};
  const notes: Record<string, string> = {};
  const ratio = (metric: string, mine: string, other: string, note: string): void => {
    const theirs = rate(other);
    if (theirs.length === 0) {
      tell(`${metric}: the peer is not installed or did not run: npm install --prefix bench`);
      return;
    }
    const ratios = rate(mine).map((value, round) => value / Math.max(theirs[round] ?? 0, LEAST));
    metrics[metric] = rounded(median(ratios));
    notes[metric] = `${note}; ${spread(ratios)}`;
  };
  ratio(
    "vs_sqlite_each",
    "ours64",
    "sqliteEach64",
    "times XState and SQLite, a transaction an event, 64 actors in flight",
  );
  ratio("vs_restate", "ours64-long", "restate64-long", "times Restate, which pays HTTP and its own process");
  ratio("vs_sqlite_group", "ours64", "sqliteGroup64", "times XState and SQLite with group commit");
  ratio("vs_leveldb", "ours64", "level64", "times bare LevelDB with group commit of as many bytes");
  ratio("single_vs_fdatasync", "ours1", "disk1", "times the disk's own append and fdatasync, one actor in flight");
  ratio("vs_orbitdb", "ours64", "orbitdb64", "times OrbitDB's event logs, which sign every entry and do not sync");
  for (const name of runs.keys()) {
    if (name === "ours64-long") continue;
    metrics[`${name.replace("-long", "")}_events_s`] = Math.round(median(rate(name)));
    notes[`${name.replace("-long", "")}_events_s`] =
      `${spread(rate(name))}; p99 ${median((runs.get(name) ?? []).map(({ p99Ms }) => p99Ms)).toFixed(1)} ms`;
  }
  return { metrics, notes };
}

/** Opens all subjects at once and lets them take turns. A subject that is not installed is left out. */
async function turns(
  runs: Map<string, Driven[]>,
  suffix: string,
  subjects: readonly (readonly [string, Open | undefined])[],
  actors: number,
  slice: Slice,
  slices = SLICES,
): Promise<void> {
  await inFolder(async (folder) => {
    await using stack = new AsyncDisposableStack();
    const opened: { readonly name: string; readonly subject: Subject; readonly cursors: number[] }[] = [];
    for (const [name, open] of subjects) {
      if (open === undefined) continue;
      const own = join(folder, name);
      await mkdir(own);
      opened.push({ name: `${name}${suffix}`, subject: stack.use(await open(own, actors)), cursors: [] });
    }
    for (let turn = 0; turn < slices; turn++) {
      for (const { name, subject, cursors } of opened) {
        const driven = await drive(subject, EVENTS.slice(0, actors), cursors, slice);
        runs.set(name, [...(runs.get(name) ?? []), driven]);
      }
    }
  });
}

function spread(values: readonly number[]): string {
  const digits = Math.max(...values) < 100 ? 2 : 0;
  return `from ${Math.min(...values).toFixed(digits)} to ${Math.max(...values).toFixed(digits)}`;
}
