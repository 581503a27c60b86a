import { execFile, execFileSync } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { type Measured, median, ROOT, rounded, type Tell } from "../harness.ts";

/** What a sync takes longer than it does here, in microseconds: about what a disk needs that has no cache it may trust. */
const DELAY_US = 2000;
const SYNCS = "fdatasync,fsync";

/**
 * Ours against a transaction an event where syncs are slow: every call of fdatasync and fsync returns 2 ms later, for both, in processes of their
 * own under strace, which stops them at nothing else. Beside a fast disk what is compared is the work of the processor; here it is the syncs.
 */
export async function slowSync(rounds: number, tell: Tell): Promise<Measured> {
  if (!canDelay()) {
    tell("vs_sqlite_each_slow: needs strace, and a container that lets it trace");
    return { metrics: {}, notes: {} };
  }
  const ours: number[] = [];
  const ratios: number[] = [];
  for (let round = 1; round <= rounds; round++) {
    const mine = await delayed("ours");
    const theirs = await delayed("sqliteEach");
    tell(`round ${round}: with syncs of 2 ms ours ${Math.round(mine)} events/s, sqliteEach ${Math.round(theirs)}`);
    ours.push(mine);
    ratios.push(mine / theirs);
  }
  const spread = `from ${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)}`;
  return {
    metrics: { vs_sqlite_each_slow: rounded(median(ratios)), ours64_slow_events_s: Math.round(median(ours)) },
    notes: { vs_sqlite_each_slow: `as vs_sqlite_each, where every sync of both takes 2 ms longer; ${spread}` },
  };
}

async function delayed(subject: string): Promise<number> {
  const inject = ["-e", `trace=${SYNCS}`, "-e", `inject=${SYNCS}:delay_exit=${DELAY_US}`];
  const script = join(import.meta.dirname, "slow-subject.ts");
  const args = ["-f", "--seccomp-bpf", "-qq", "-o", "/dev/null", ...inject, process.execPath, script, subject];
  const { stdout } = await promisify(execFile)("strace", args, { cwd: ROOT });
  return Number(stdout);
}

function canDelay(): boolean {
  try {
    execFileSync("strace", ["-f", "--seccomp-bpf", "-o", "/dev/null", "-e", "trace=fsync", "true"], {
      stdio: "ignore",
    });
    return true;
  } catch {
    return false;
  }
}
