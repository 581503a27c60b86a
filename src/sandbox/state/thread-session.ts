import { adapterOf } from "../abi/adapters.ts";
import type { KeptInstance } from "../abi/port.ts";
import { BROKEN } from "../lane-call.ts";
import type { Outcome, ProcessWork } from "../lane-messages.ts";
import { CallHost, type ThreadModule } from "../module-call.ts";
import { changed, changeOf, type Image } from "./image.ts";

interface Live {
  readonly host: CallHost;
  readonly instance: KeptInstance;
}

/**
 * The state of a stateful module in a lane's thread: one instance that lives from call to call, made at the first call from the
 * image that the session was opened with. After a call that did not end well it takes no more: the instance is neither where it
 * was nor where it should be.
 */
export class ThreadSession {
  private readonly module: ThreadModule;
  private image: Image | null;
  private live: Live | undefined;
  private isBroken = false;

  constructor(module: ThreadModule, image: Image | null) {
    this.module = module;
    this.image = image;
  }

  call(work: ProcessWork): Outcome {
    if (this.isBroken) return BROKEN;
    const host = this.live?.host ?? new CallHost(this.module, this.image);
    host.begin(work.fuel);
    try {
      this.live ??= { host, instance: this.made(host, work) };
      return host.outputOf(this.live.instance.call(work));
    } catch (error) {
      this.isBroken = true;
      this.live = undefined;
      return host.outcomeOf(error);
    }
  }

  /** What has changed since the session was opened or saved before. */
  save(): Outcome {
    if (this.isBroken || this.live === undefined) return BROKEN;
    try {
      const { host } = this.live;
      const change = changeOf(this.image, host.memory, host.exports, this.module.globals);
      this.image = changed(this.image, change);
      return { type: "saved", change };
    } catch (error) {
      // There was no memory for the copies of pages.
      this.isBroken = true;
      return { type: "fault", message: error instanceof Error ? error.message : String(error) };
    }
  }

  private made(host: CallHost, work: ProcessWork): KeptInstance {
    const adapter = adapterOf(this.module.abi);
    if (adapter.keep === undefined) throw new RangeError(`modules of ${this.module.abi} keep nothing`);
    return adapter.keep(host, work);
  }
}
