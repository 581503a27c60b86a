import { IpdmError } from "../../../src/core/errors.ts";
import { type MemoryImage, MemoryStore } from "../../../src/journal/memory-store.ts";
import type { Store } from "../../../src/journal/port.ts";
import { ReopeningStore } from "../../../src/journal/reopening-store.ts";
import { createRuntime, type Runtime } from "../../../src/runtime/runtime.ts";
import { sha256 } from "../../contract/journal/store.contract.ts";
import { settle, VirtualClock } from "../../support/virtual-clock.ts";
import { Random } from "../actors/random.ts";
import { depotProblems, replayProblems, stateLine, stateProblems } from "./depot-check.ts";
import { type DepotEvent, depot, kid } from "./depot-machine.ts";

const DEPOTS = ["depot-a", "depot-b", "depot-c"];

/** Turns of the event loop that a group commit takes, at most, before and after it is durable together. */
const GROUP_TURNS_MAX = 6;

/** Things that happen by themselves after a run, at most; it rests long before. */
const REST_MAX = 400;

/**
 * How the disk treats the groups that are written to it: well; it loses them, or keeps them and does not say so, and the store stops; or it is full,
 * with either, until there is room.
 */
type Disk = "well" | "lost" | "unsaid" | "full" | "brimful";
const FAILURES: readonly Disk[] = ["lost", "unsaid", "full", "brimful"];

/**
 * Schedules of depots and their kids, each from one seed: events, time, failing effects, a disk that fails in several ways or is full for a
 * while, crashes at any moment. How many depots, steps, checkpoints and hot actors there are is the seed's too.
 */
export class DepotRun {
  readonly random: Random;
  readonly clock = new VirtualClock();
  /** Numbers of events whose `send` resolved, by depot. */
  readonly acknowledged: ReadonlyMap<string, number[]>;
  /** How often the effect of a request ran. */
  readonly shipments = new Map<string, number>();
  crashes = 0;
  /** How often there was room again in the same process. */
  reopenings = 0;
  #memory: MemoryStore | undefined;
  #store: Store | undefined;
  #runtime: Runtime | undefined;
  #disk: Disk = "well";
  #healed = false;
  #numbers = 0;
  #unanswered = 0;
  /** Turns of the event loop before a group is durable, and before it is acknowledged, at most. */
  readonly #turnsMax: number;
  readonly #hotMax: number;
  readonly #checkpointEvery: number;
  readonly #machine = depot({
    ship: {
      retry: { attempts: 50, firstDelayMs: 5, maxDelayMs: 80 },
      run: async ({ id }) => {
        this.shipments.set(id, (this.shipments.get(id) ?? 0) + 1);
        if (!this.#healed && this.random.chance(0.4)) throw new Error("no wind");
        return { type: "shipped" };
      },
    },
  });

  constructor(seed: number) {
    this.random = new Random(seed);
    this.acknowledged = new Map(DEPOTS.slice(0, 1 + this.random.below(DEPOTS.length)).map((id) => [id, []]));
    this.#turnsMax = this.random.below(GROUP_TURNS_MAX / 2 + 1);
    this.#hotMax = 1 + this.random.below(4);
    this.#checkpointEvery = 2 + this.random.below(8);
  }

  get #isFull(): boolean {
    return this.#disk === "full" || this.#disk === "brimful";
  }

  /** Runs the schedule, then lets everything come to rest. Gives what is wrong in the end. */
  async run(): Promise<readonly string[]> {
    await this.#start();
    for (let steps = 4 + this.random.below(14); steps > 0; steps--) await this.#step();
    this.#healed = true;
    if (this.#disk === "lost" || this.#disk === "unsaid" || this.random.chance(0.5)) await this.#crash();
    this.#disk = "well";
    await this.#rest();
    const problems = await this.#problems();
    await this.#runtime?.close();
    await this.#store?.close();
    return problems;
  }

  async #step(): Promise<void> {
    const { random, clock } = this;
    const kind = random.below(20);
    if (kind < 10) this.#send();
    else if (kind < 15) await clock.advance(random.below(60));
    else if (kind < 16) await this.#crash();
    else if (kind < 17) await settle(random.below(3));
    else if (kind < 18 && this.#disk === "well") await this.#fail();
    else this.#send(random.below(8));
    if (this.#disk !== "well" && random.chance(0.5)) await this.#crash();
  }

  /** The disk fails while there is something to write. */
  async #fail(): Promise<void> {
    const { random, clock } = this;
    this.#disk = random.pick(FAILURES);
    this.#send(1 + random.below(3));
    await clock.advance(random.below(100));
    if (!this.#isFull) return;
    await clock.advance(random.below(2000));
    this.#disk = "well";
    if (random.chance(0.5)) await clock.advance(random.below(2000));
  }

  #send(times = 1): void {
    for (let sent = 0; sent < times; sent++) this.#sendOne();
  }

  #sendOne(): void {
    const id = this.random.pick([...this.acknowledged.keys()]);
    const n = (this.#numbers += 1);
    const before = this.crashes;
    const sent = this.#runtime?.actor(id, this.#machine).send(this.#event(n));
    this.#unanswered += 1;
    void sent
      ?.then(
        // What a process is told after its crash nobody hears.
        () => (this.crashes === before ? this.acknowledged.get(id)?.push(n) : undefined),
        () => undefined,
      )
      .finally(() => (this.#unanswered -= 1));
  }

  #event(n: number): DepotEvent {
    switch (this.random.below(5)) {
      case 0:
        return { type: "wait", n, delay: this.random.below(200) };
      case 1:
        return { type: "job", n };
      case 2:
        return { type: "kid", n };
      default:
        return { type: "ship", n };
    }
  }

  /** What is durable at this moment is all that is left. Time may pass before the next process. */
  async #crash(): Promise<void> {
    this.crashes += 1;
    const image = this.#memory?.image();
    await this.#runtime?.close();
    await this.#store?.close();
    this.#disk = "well";
    this.#memory = undefined;
    if (this.random.chance(0.3)) await this.clock.advance(this.random.below(300));
    await this.#start(image);
  }

  /** Until nothing has anything to do, and what is durable is acknowledged too. */
  async #rest(): Promise<void> {
    const { clock } = this;
    let quiet = 0;
    for (let things = 0; things < REST_MAX && quiet < 2; things++) {
      await settle(2 * GROUP_TURNS_MAX);
      const wakes = await this.#store?.wakes().catch(() => undefined); // while the disk counts as full nobody knows
      const isQuiet = this.#unanswered === 0 && wakes?.length === 0;
      if (clock.next !== undefined) await clock.advance(clock.next - clock.now());
      else quiet = isQuiet ? quiet + 1 : 0;
    }
  }

  #open(image: MemoryImage | undefined, failed: (error: IpdmError) => void): MemoryStore {
    const failing = (stops: Disk, fills: Disk) => async (): Promise<void> => {
      await settle(this.random.below(this.#turnsMax + 1));
      if (this.#disk !== stops && this.#disk !== fills) return;
      const error = new IpdmError(this.#isFull ? "DISK_FULL" : "JOURNAL_WRITE_FAILED", "the disk failed");
      failed(error);
      throw error;
    };
    const failures = { sync: failing("lost", "full"), synced: failing("unsaid", "brimful") };
    return new MemoryStore({ hash: sha256, ...failures, ...(image === undefined ? {} : { image }) });
  }

  async #start(image?: MemoryImage): Promise<void> {
    const { clock, random } = this;
    this.#store = await ReopeningStore.open({
      clock,
      open: async (failed) => (this.#memory = this.#open(this.#memory?.image() ?? image, failed)),
      hasRoom: async () => !this.#isFull,
      reopened: () => {
        this.reopenings += 1;
        void this.#runtime?.resume();
      },
    });
    this.#runtime = await createRuntime({
      store: this.#store,
      clock,
      entropy: () => random.next(),
      machines: [this.#machine],
      hotMax: this.#hotMax,
      checkpointEvery: this.#checkpointEvery,
    });
    for (const id of this.acknowledged.keys()) await this.#runtime.spawn(this.#machine, { id });
  }

  async #problems(): Promise<readonly string[]> {
    const problems: string[] = [];
    const store = this.#store as Store;
    const runtime = this.#runtime as Runtime;
    for (const { actor, message } of runtime.quarantined()) problems.push(`${actor}: ${message}`);
    const states = new Map<string, string>();
    for (const id of await store.actors()) {
      problems.push(...(await replayProblems(store, [this.#machine.spec, kid.spec], id)));
      states.set(...stateLine(id, await runtime.actor(id).snapshot()));
    }
    problems.push(...(await stateProblems(store, [...this.acknowledged.keys()], states)));
    for (const [id, acknowledged] of this.acknowledged) {
      const snapshot = await runtime.actor(id, this.#machine).snapshot();
      const known = { found: snapshot.context, acknowledged, shipments: this.shipments };
      problems.push(...(await depotProblems(store, id, known)));
    }
    for (const { actor, at } of await store.wakes()) problems.push(`${actor} still has something to do at ${at}`);
    return problems;
  }
}
