import { type Measured, median, rounded, type Tell } from "../harness.ts";
import { fdatasync, level } from "./disk.ts";
import { orbitdb } from "./orbitdb.ts";
import { ours } from "./ours.ts";
import { restate } from "./restate.ts";
import { sqliteEach, sqliteGroup } from "./sqlite.ts";
import { type Driven, drive, inFolder, type Open } from "./subject.ts";
import { eventsOf } from "./workload.ts";

const FLIGHT = 64;
const DRIVE_MS = 1200;
const EVENTS = eventsOf(FLIGHT, 600);

/** Durable events a second: ours against the same over other stores, with 64 actors in flight and with one; interleaved. */
export async function appends(rounds: number, tell: Tell): Promise<Measured> {
  const many = { ours, sqliteEach, sqliteGroup, level, orbitdb: await orbitdb(), restate: await restate() };
  const runs = new Map<string, Driven[]>();
  for (let round = 1; round <= rounds; round++) {
    for (const [name, open] of Object.entries(many)) await driven(runs, `${name}64`, open, FLIGHT, tell);
    // The disk's own rate drifts within seconds, so these two stand beside each other.
    for (const [name, open] of [
      ["ours", ours],
      ["disk", fdatasync],
    ] as const)
      await driven(runs, `${name}1`, open, 1, tell);
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
    const ratios = rate(mine).map((value, round) => value / (theirs[round] ?? Number.NaN));
    metrics[metric] = rounded(median(ratios));
    notes[metric] = `${note}; ${spread(ratios)}`;
  };
  ratio(
    "vs_sqlite_each",
    "ours64",
    "sqliteEach64",
    "times XState and SQLite, a transaction an event, 64 actors in flight",
  );
  ratio("vs_restate", "ours64", "restate64", "times Restate, which pays HTTP and its own process");
  ratio("vs_sqlite_group", "ours64", "sqliteGroup64", "times XState and SQLite with group commit");
  ratio("vs_leveldb", "ours64", "level64", "times bare LevelDB with group commit of as many bytes");
  ratio("single_vs_fdatasync", "ours1", "disk1", "times the disk's own append and fdatasync, one actor in flight");
  ratio("vs_orbitdb", "ours64", "orbitdb64", "times OrbitDB's event logs, which sign every entry and do not sync");
  for (const name of runs.keys()) {
    metrics[`${name}_events_s`] = Math.round(median(rate(name)));
    notes[`${name}_events_s`] =
      `${spread(rate(name))}; p99 ${median((runs.get(name) ?? []).map(({ p99Ms }) => p99Ms)).toFixed(1)} ms`;
  }
  return { metrics, notes };
}

async function driven(
  runs: Map<string, Driven[]>,
  name: string,
  open: Open | undefined,
  actors: number,
  tell: Tell,
): Promise<void> {
  if (open === undefined) return;
  const result = await inFolder(async (folder) => {
    await using subject = await open(folder, actors);
    return await drive(subject, EVENTS.slice(0, actors), DRIVE_MS);
  });
  runs.set(name, [...(runs.get(name) ?? []), result]);
  tell(`${name}: ${Math.round(result.perSecond)} events/s, p99 ${result.p99Ms.toFixed(1)} ms`);
}

function spread(values: readonly number[]): string {
  const digits = Math.max(...values) < 100 ? 2 : 0;
  return `from ${Math.min(...values).toFixed(digits)} to ${Math.max(...values).toFixed(digits)}`;
}
