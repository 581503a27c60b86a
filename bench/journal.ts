import type { Bench, Measured } from "./harness.ts";
import { appends } from "./journal/appends.ts";
import { replay } from "./journal/replay.ts";
import { slowSync } from "./journal/slow-sync.ts";
import { stored } from "./journal/stored.ts";

const PARTS: readonly Bench[] = [appends, slowSync, replay, stored];

/** What durable actors and their journals cost, against what else people would use. */
export async function journal(rounds: number, tell: (line: string) => void): Promise<Measured> {
  const parts: Measured[] = [];
  for (const part of PARTS) parts.push(await part(rounds, tell));
  return {
    metrics: Object.assign({}, ...parts.map(({ metrics }) => metrics)),
    notes: Object.assign({}, ...parts.map(({ notes }) => notes)),
  };
}
