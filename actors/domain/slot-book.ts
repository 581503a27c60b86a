import type { CID } from "multiformats/cid";
import type { Membership } from "../../src/consensus/membership.ts";
import { type Place, placeText, type Slot } from "../../src/consensus/slot.ts";
import { Tally } from "../../src/consensus/tally.ts";
import type { Certificate, Challenge } from "../../src/consensus/vote.ts";
import { assert } from "../../src/core/errors.ts";
import { Latch } from "../../src/core/latch.ts";
import type { Block } from "../../src/dag/block.ts";

/** Slots recorded by this node that stay in memory, so that the next askers need no store. */
export const RECORDED_KEPT_MAX = 256;

/** A slot and its CID. */
export interface KnownSlot {
  readonly cid: CID;
  readonly slot: Slot;
  readonly bytes: Uint8Array;
}

/** A certificate, its CID and bytes. */
export interface KnownCertificate {
  readonly block: Block;
  readonly certificate: Certificate;
}

/** What a node knows of a statement that something is drawn for. */
export interface StatementRecord {
  /** The first challenge of each member. */
  readonly challenges: Map<string, Challenge>;
  readonly draw: Latch<CID>;
  /** The challenges that the draw was made of, once this node has agreed to it. */
  fixed: readonly Challenge[] | undefined;
  /** Called whenever a challenge comes. */
  readonly changed: Set<() => void>;
}

/** What a node knows of a slot. */
export interface SlotRecord {
  readonly known: KnownSlot;
  readonly announced: Latch<CID>;
  readonly tally: Tally;
  readonly certificate: Latch<KnownCertificate>;
  /** Set when no statement can reach a quorum any more, as far as the votes counted here tell. */
  readonly stuck: Latch<true>;
  /** Evidence and weak votes told already, by kind and voter. */
  readonly reported: Set<string>;
  readonly statements: Map<string, StatementRecord>;
}

/**
 * Slots that a node has a part in, by CID and by place. Only slots with the submitter's signature come in; the ones that the
 * node has recorded leave again, oldest first, so that a long run takes no more memory than a short one.
 */
export class SlotBook {
  private readonly membership: Membership;
  private readonly slots = new Map<string, SlotRecord>();
  private readonly statements = new Map<string, StatementRecord>();
  private readonly places = new Map<string, Latch<KnownSlot>>();
  private readonly recorded = new Set<string>();

  constructor(membership: Membership) {
    this.membership = membership;
  }

  /** The record of a slot, made where there is none. The first slot of a place is the one that counts. */
  add(known: KnownSlot): SlotRecord {
    const key = known.cid.toString();
    let record = this.slots.get(key);
    if (record === undefined) {
      record = {
        known,
        announced: new Latch(),
        tally: new Tally(this.membership),
        certificate: new Latch(),
        stuck: new Latch(),
        reported: new Set(),
        statements: new Map(),
      };
      this.slots.set(key, record);
      this.place(known.slot).set(known);
    }
    return record;
  }

  /** What is known of a slot. */
  find(slot: CID): SlotRecord | undefined {
    return this.slots.get(slot.toString());
  }

  /** What is known of a slot that this node works on. */
  get(slot: CID): SlotRecord {
    const record = this.find(slot);
    assert(record !== undefined, `slot ${slot.toString()} is known to the committee`);
    return record;
  }

  /** The slot at a place. */
  at(place: Place): KnownSlot | undefined {
    return this.places.get(placeText(place))?.value;
  }

  /** Gives the slot of a place, to those who wait for it. */
  place(place: Place): Latch<KnownSlot> {
    const name = placeText(place);
    let latch = this.places.get(name);
    if (latch === undefined) {
      latch = new Latch();
      this.places.set(name, latch);
    }
    return latch;
  }

  /** The record of a statement of a slot, made where there is none. */
  statement(slot: CID, statement: CID): StatementRecord {
    const record = this.get(slot);
    const key = statement.toString();
    let found = record.statements.get(key);
    if (found === undefined) {
      found = { challenges: new Map(), draw: new Latch(), fixed: undefined, changed: new Set() };
      record.statements.set(key, found);
      this.statements.set(key, found);
    }
    return found;
  }

  /** What is known of a statement. */
  findStatement(statement: CID): StatementRecord | undefined {
    return this.statements.get(statement.toString());
  }

  /** Slots whose certificate this node does not have yet, oldest first. */
  *awaited(): Generator<KnownSlot> {
    for (const { known, certificate } of this.slots.values()) if (certificate.value === undefined) yield known;
  }

  /** This node is done with a slot; it stays for a while. */
  finish(slot: CID): void {
    this.recorded.add(slot.toString());
    if (this.recorded.size <= RECORDED_KEPT_MAX) return;
    const [oldest] = this.recorded as Iterable<string> as [string];
    this.recorded.delete(oldest);
    const record = this.slots.get(oldest);
    if (record === undefined) return;
    this.slots.delete(oldest);
    this.places.delete(placeText(record.known.slot));
    for (const key of record.statements.keys()) this.statements.delete(key);
  }

  /** Slots in memory. */
  get size(): number {
    return this.slots.size;
  }
}
