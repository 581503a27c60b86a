import { type MemoryImage, MemoryStore } from "../../../src/journal/memory-store.ts";
import { createRuntime, type Runtime } from "../../../src/runtime/runtime.ts";
import { sha256 } from "../../contract/journal/store.contract.ts";
import { settle, VirtualClock } from "../../support/virtual-clock.ts";
import { Random } from "../actors/random.ts";
import { depotProblems, replayProblems } from "./depot-check.ts";
import { type DepotEvent, depot } from "./depot-machine.ts";

const DEPOTS = ["depot-a", "depot-b", "depot-c"] as const;
const STEPS = 30;

/** A run of three depots and their kids under a seed: events, time, failing effects, a disk that fails, crashes at any moment. */
export class DepotRun {
  readonly random: Random;
  readonly clock = new VirtualClock();
  /** Numbers of events whose `send` resolved, by depot. */
  readonly acknowledged = new Map<string, number[]>(DEPOTS.map((id) => [id, []]));
  /** How often the effect of a request ran. */
  readonly shipments = new Map<string, number>();
  crashes = 0;
  #store: MemoryStore;
  #runtime: Runtime | undefined;
  #diskFails = false;
  #healed = false;
  #numbers = 0;
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
    this.#store = this.#open(undefined);
  }

  /** Runs the schedule, then lets everything come to rest. Gives what is wrong in the end. */
  async run(): Promise<readonly string[]> {
    await this.#start();
    for (let step = 0; step < STEPS; step++) await this.#step();
    this.#healed = true;
    this.#diskFails = false;
    await this.#crash();
    for (let rest = 0; rest < 40; rest++) await this.clock.advance(500);
    const problems = await this.#problems();
    await this.#runtime?.close();
    return problems;
  }

  async #step(): Promise<void> {
    const kind = this.random.below(20);
    if (kind < 11) this.#send();
    else if (kind < 16) await this.clock.advance(this.random.below(60));
    else if (kind < 17) await this.#crash();
    else if (kind < 18) await settle(this.random.below(3));
    else if (kind < 19) this.#diskFails = true;
    else for (let more = this.random.below(8); more > 0; more--) this.#send();
    if (this.#diskFails && this.random.chance(0.5)) await this.#crash();
  }

  #send(): void {
    const id = this.random.pick(DEPOTS);
    const n = (this.#numbers += 1);
    const event = this.#event(n);
    const before = this.crashes;
    const sent = this.#runtime?.actor(id, this.#machine).send(event);
    void sent?.then(
      // What a process is told after its crash nobody hears.
      () => (this.crashes === before ? this.acknowledged.get(id)?.push(n) : undefined),
      () => undefined,
    );
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

  /** What is durable at this moment is all that is left. */
  async #crash(): Promise<void> {
    this.crashes += 1;
    const image = this.#store.image();
    await this.#runtime?.close();
    this.#diskFails = false;
    this.#store = this.#open(image);
    await this.#start();
  }

  #open(image: MemoryImage | undefined): MemoryStore {
    const sync = async (): Promise<void> => {
      if (this.#diskFails) throw new Error("the disk is gone");
    };
    return new MemoryStore({ hash: sha256, sync, ...(image === undefined ? {} : { image }) });
  }

  async #start(): Promise<void> {
    const { clock, random } = this;
    const options = {
      store: this.#store,
      clock,
      entropy: () => random.next(),
      machines: [this.#machine],
      hotMax: 3,
      checkpointEvery: 7,
    };
    this.#runtime = await createRuntime(options);
    for (const id of DEPOTS) await this.#runtime.spawn(this.#machine, { id });
  }

  async #problems(): Promise<readonly string[]> {
    const problems: string[] = [];
    for (const id of await this.#store.actors())
      problems.push(...(await replayProblems(this.#store, this.#machine, id)));
    for (const id of DEPOTS) {
      const snapshot = await this.#runtime?.actor(id, this.#machine).snapshot();
      const { acknowledged, shipments } = this;
      const known = { found: snapshot?.context, acknowledged: acknowledged.get(id) ?? [], shipments };
      problems.push(...(await depotProblems(this.#store, id, known)));
    }
    for (const { actor, at } of await this.#store.wakes()) problems.push(`${actor} still has something to do at ${at}`);
    return problems;
  }
}
