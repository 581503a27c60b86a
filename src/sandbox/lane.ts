import { laneClosed } from "./errors.ts";
import { LaneQueue, type StartThread } from "./lane-queue.ts";
import { LaneThread } from "./lane-thread.ts";
import { IN_FLIGHT_MAX } from "./limits.ts";
import { loadModule } from "./load.ts";
import type { CallOptions, Lane, ModuleHandle, ModuleSpec } from "./port.ts";

/** Opens a lane. Its thread starts with the first call and keeps the process alive only while calls wait. */
export function openLane(start: StartThread = (events) => new LaneThread(events)): Lane {
  return new OneLane(start);
}

/** One queue, first in, first out. */
class OneLane implements Lane {
  private readonly queue: LaneQueue;
  private isClosed = false;

  constructor(start: StartThread) {
    this.queue = new LaneQueue(start);
  }

  async load(spec: ModuleSpec, options: CallOptions = {}): Promise<ModuleHandle> {
    if (this.isClosed) throw laneClosed();
    return loadModule(
      spec,
      (loaded) => {
        const module = this.queue.add(loaded);
        return {
          call: (work, signal) => this.queue.call(module, work, signal),
          open: (image) => this.queue.open(module, image),
          window: 2 * IN_FLIGHT_MAX,
        };
      },
      options,
    );
  }

  async close(): Promise<void> {
    this.isClosed = true;
    await this.queue.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
