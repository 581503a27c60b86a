import { hasCode, IpdmError } from "../core/errors.ts";
import type { Clock, Entropy } from "../core/ports.ts";
import type { MetaStore } from "../journal/port.ts";
import { backOff } from "./effect.ts";

/** Faults of one actor in a row, after which it is left alone until a person says otherwise. */
export const FAULTS_MAX = 5;

/** Quarantined actors that a store remembers; of more, the oldest are forgotten and found again. */
export const QUARANTINED_MAX = 128;

const PAUSES = { firstDelayMs: 100, maxDelayMs: 30_000 };
const KEY = "runtime/quarantine";
const TEXT_MAX = 200;

/** Codes that another attempt cannot change: the journal and the machines say different things. */
const HOPELESS = [
  "NON_DETERMINISM",
  "JOURNAL_CORRUPT",
  "MACHINE_UNSUPPORTED",
  "CHECKPOINT_MALFORMED",
  "ENTRY_MALFORMED",
] as const;

/** Codes that another machine, or another migration, makes good: nothing is held against the actor. */
const OF_THE_MACHINES = ["MACHINE_VERSION_MISSING", "MIGRATION_FAILED"] as const;

/** Codes of a store that takes nothing more: no actor's fault. */
const OF_THE_STORE = ["JOURNAL_STOPPED", "JOURNAL_CLOSED", "JOURNAL_WRITE_FAILED", "DISK_FULL"] as const;

/** Why an actor is left alone. */
export interface Quarantined {
  readonly actor: string;
  readonly code: string;
  readonly message: string;
}

/** What is to be done about a fault. */
export type Verdict =
  | { readonly kind: "again"; readonly at: number }
  | { readonly kind: "quarantine" }
  | { readonly kind: "machines" }
  | { readonly kind: "store" };

/** Counts faults of actors, and remembers in the store which ones are left alone. */
export class Quarantine {
  readonly #meta: MetaStore;
  readonly #clock: Clock;
  readonly #entropy: Entropy;
  readonly #faults = new Map<string, { readonly count: number; readonly until: number }>();
  readonly #kept = new Map<string, Quarantined>();

  private constructor(meta: MetaStore, clock: Clock, entropy: Entropy) {
    this.#meta = meta;
    this.#clock = clock;
    this.#entropy = entropy;
  }

  static async open(meta: MetaStore, clock: Clock, entropy: Entropy): Promise<Quarantine> {
    const quarantine = new Quarantine(meta, clock, entropy);
    for (const each of await readQuarantine(meta)) quarantine.#kept.set(each.actor, each);
    return quarantine;
  }

  list(): readonly Quarantined[] {
    return [...this.#kept.values()];
  }

  has(actor: string): boolean {
    return this.#kept.has(actor);
  }

  /** Milliseconds until a faulted actor may come back; 0 where nothing is known against it. */
  pause(actor: string): number {
    return Math.max(0, (this.#faults.get(actor)?.until ?? 0) - this.#clock.now());
  }

  /** Throws `ACTOR_QUARANTINED` for an actor that is left alone. */
  check(actor: string): void {
    const kept = this.#kept.get(actor);
    if (kept === undefined) return;
    throw new IpdmError("ACTOR_QUARANTINED", `actor ${actor} is left alone: ${kept.message}`, {
      where: actor,
      hint: "correct the cause, then `ipdm-runtime actors retry` lets it run again",
      facts: { actor, code: kept.code },
    });
  }

  /** Takes note of a fault, and says what is to be done. */
  async fault(actor: string, error: IpdmError): Promise<Verdict> {
    if (OF_THE_STORE.some((code) => hasCode(error, code))) return { kind: "store" };
    if (OF_THE_MACHINES.some((code) => hasCode(error, code))) return { kind: "machines" };
    const count = (this.#faults.get(actor)?.count ?? 0) + 1;
    if (count <= FAULTS_MAX && !HOPELESS.some((code) => hasCode(error, code))) {
      const at = this.#clock.now() + backOff(PAUSES, count, this.#entropy());
      this.#faults.set(actor, { count, until: at });
      return { kind: "again", at };
    }
    this.#faults.delete(actor);
    const message = error.message.slice(0, TEXT_MAX).toWellFormed();
    this.#kept.set(actor, { actor, code: error.code, message });
    await this.#save();
    return { kind: "quarantine" };
  }

  /** The actor has done something: earlier faults count no more. */
  recovered(actor: string): void {
    if (this.#faults.size > 0) this.#faults.delete(actor);
  }

  /** Lets an actor run again. */
  async release(actor: string): Promise<void> {
    this.#faults.delete(actor);
    if (this.#kept.delete(actor)) await this.#save();
  }

  async #save(): Promise<void> {
    for (const oldest of [...this.#kept.keys()].slice(0, Math.max(0, this.#kept.size - QUARANTINED_MAX)))
      this.#kept.delete(oldest);
    await this.#meta.put(KEY, new TextEncoder().encode(JSON.stringify(this.list())));
  }
}

/** The actors that a store's runtime leaves alone. */
export async function readQuarantine(meta: MetaStore): Promise<readonly Quarantined[]> {
  const bytes = await meta.get(KEY);
  return bytes === undefined ? [] : (JSON.parse(new TextDecoder().decode(bytes)) as readonly Quarantined[]);
}
