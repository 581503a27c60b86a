import { availableParallelism } from "node:os";
import { laneClosed, sandboxError } from "./errors.ts";
import { FairQueue } from "./fair-queue.ts";
import { LaneProcess } from "./lane-process.ts";
import { LaneQueue, type StartThread } from "./lane-queue.ts";
import { LaneThread } from "./lane-thread.ts";
import { IN_FLIGHT_MAX, LANES_MAX } from "./limits.ts";
import { loadModule } from "./load.ts";
import { ISOLATIONS, type Isolation } from "./policy.ts";
import type { CallOptions, Lane, ModuleHandle, ModuleSpec } from "./port.ts";

/** How many lanes a pool has, and what separates them from this process. */
export interface LanesOptions {
  /** Lanes of each isolation, 1 to 64; each open session of a stateful module has one more. They start when there is work for them. Default: {@link lanesFor} one node. */
  readonly lanes?: number;
  /** Isolation of a module whose specification names none. Default: `thread`. */
  readonly isolation?: Isolation;
  /** Starts a thread of each isolation; tests replace it. */
  readonly start?: Partial<Readonly<Record<Isolation, StartThread>>>;
}

/** Lanes for each of so many nodes on this machine: its cores, shared; at least one. */
export function lanesFor(nodes: number): number {
  return Math.max(1, Math.min(LANES_MAX, Math.floor(availableParallelism() / nodes)));
}

/**
 * Opens a pool of lanes behind the port of one lane. A module is checked and compiled once; its calls run in whatever lane is free,
 * and outputs come in the order of the calls. Lanes are shared fairly among modules ({@link FairQueue}). A lane that hangs or dies
 * is replaced, and the calls that waited in it run in the new one. Throws `LANES_INVALID`.
 */
export function openLanes(options: LanesOptions = {}): Lane {
  return new LanePool(options);
}

const START: Readonly<Record<Isolation, StartThread>> = {
  thread: (events) => new LaneThread(events),
  process: (events) => new LaneProcess(events),
};

class LanePool implements Lane {
  private readonly isolation: Isolation;
  private readonly lanes: number;
  private readonly rings: Readonly<Record<Isolation, FairQueue>>;
  private isClosed = false;

  constructor({ lanes = lanesFor(1), isolation = "thread", start = {} }: LanesOptions) {
    if (!Number.isInteger(lanes) || lanes < 1 || lanes > LANES_MAX)
      throw sandboxError("LANES_INVALID", `a pool has 1 to ${LANES_MAX} lanes, not ${lanes}`, {
        kind: "usage",
        hint: "leave the number out: it never changes a result",
      });
    this.isolation = isolation;
    this.lanes = lanes;
    const ring = (of: Isolation): FairQueue => new FairQueue(lanes, () => new LaneQueue(start[of] ?? START[of]));
    this.rings = { thread: ring("thread"), process: ring("process") };
  }

  async load(spec: ModuleSpec, options: CallOptions = {}): Promise<ModuleHandle> {
    if (this.isClosed) throw laneClosed();
    const ring = this.rings[spec.isolation ?? this.isolation];
    return loadModule(
      spec,
      (loaded) => {
        const module = ring.add(loaded);
        return {
          call: (work, signal) => ring.call(module, work, signal),
          open: (image) => ring.open(module, image),
          window: 2 * IN_FLIGHT_MAX * this.lanes,
        };
      },
      options,
    );
  }

  async close(): Promise<void> {
    this.isClosed = true;
    await Promise.all(ISOLATIONS.map((isolation) => this.rings[isolation].close()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
