import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { OrderEvent } from "./workload.ts";

/** A way of keeping actors' events. `send` resolves when the event is durable, or as durable as this way makes it. */
export interface Subject extends AsyncDisposable {
  send(actor: number, event: OrderEvent): Promise<unknown>;
}

/** Opens a subject in an empty folder, with `actors` actors ready for events. */
export type Open = (folder: string, actors: number) => Promise<Subject>;

/** What one drive came to. */
export interface Driven {
  readonly perSecond: number;
  readonly p99Ms: number;
}

/** Runs a piece of work in a folder of its own, on the disk that `TMPDIR` is on. */
export async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "ipdm-bench-"));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** How long a subject is driven at a time, in milliseconds: first unmeasured, so that all its actors are under way, then measured. */
export interface Slice {
  readonly warmMs: number;
  readonly ms: number;
}

/**
 * Drives a subject: every actor sends its next event as soon as the one before is durable. `cursors` holds how far each actor is, and moves
 * on, so that every event fits its machine's state.
 */
export async function drive(
  subject: Subject,
  events: readonly (readonly OrderEvent[])[],
  cursors: number[],
  { warmMs, ms }: Slice,
): Promise<Driven> {
  const waits: number[] = [];
  const from = performance.now() + warmMs;
  const until = from + ms;
  let done = 0;
  await Promise.all(
    events.map(async (own, actor) => {
      for (let at = cursors[actor] ?? 0; ; at++) {
        cursors[actor] = at;
        const started = performance.now();
        if (started >= until) return;
        await subject.send(actor, own[at % own.length] as OrderEvent);
        const ended = performance.now();
        if (ended < from || ended > until) continue;
        done += 1;
        waits.push(ended - started);
      }
    }),
  );
  waits.sort((a, b) => a - b);
  return { perSecond: (done * 1000) / ms, p99Ms: waits[Math.floor(waits.length * 0.99)] ?? 0 };
}
