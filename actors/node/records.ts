import type { CID } from "multiformats/cid";
import { type Place, parseSlot, placeText } from "../../src/consensus/slot.ts";
import { parseStatement } from "../../src/consensus/statement.ts";
import { parseCertificate } from "../../src/consensus/vote.ts";
import type { Hash } from "../../src/core/ports.ts";
import { type Block, decodeBlock, decodeStrict } from "../../src/dag/block.ts";
import type { BlockReader } from "../../src/lake/block-reader.ts";
import type { KnownCertificate, KnownSlot } from "../domain/slot-book.ts";
import type { TaskRecord } from "../task/actor.ts";
import type { Ledger } from "./ledger.ts";

/** A certified slot as its blocks tell it. */
export interface Certified {
  readonly slot: KnownSlot;
  readonly certificate: KnownCertificate;
}

interface Links {
  readonly slot: CID;
  readonly certificate: CID;
}

/** The certified slots that a node has recorded, found by their places for members that ask for what memory holds no more. */
export class Records {
  private readonly hash: Hash;
  private readonly reader: BlockReader;
  private readonly ledger: Ledger;
  private readonly places = new Map<string, Links>();

  constructor(hash: Hash, reader: BlockReader, ledger: Ledger) {
    this.hash = hash;
    this.reader = reader;
    this.ledger = ledger;
  }

  /** Adds the next record of a task to what this node knows, from its blocks. */
  async add(record: TaskRecord): Promise<Certified> {
    const { slot, statement: statementCid, certificate } = record;
    const certified = await this.read(record);
    const statement = parseStatement(decodeStrict(this.hash, await this.block(statementCid)));
    this.places.set(placeText(certified.slot.slot), { slot, certificate });
    this.ledger.record({ slot: certified.slot.slot, slotCid: slot, statement, statementCid });
    return certified;
  }

  /** The slot recorded at a place. */
  async at(place: Place): Promise<Certified | undefined> {
    const links = this.places.get(placeText(place));
    return links === undefined ? undefined : this.read(links);
  }

  /** Reads a slot and its certificate. */
  async read(links: Links): Promise<Certified> {
    const slot = await this.block(links.slot);
    const block = await this.block(links.certificate);
    const certificate = parseCertificate(decodeStrict(this.hash, block));
    return { slot: { ...slot, slot: parseSlot(decodeStrict(this.hash, slot)) }, certificate: { block, certificate } };
  }

  private async block(cid: CID): Promise<Block> {
    return { cid, bytes: await this.reader.read(cid) };
  }
}

/** The records of a task up to its newest, oldest first. */
export async function recordsTo(head: CID | null, read: (cid: CID) => Promise<Uint8Array>): Promise<TaskRecord[]> {
  const records: TaskRecord[] = [];
  for (let cid = head; cid !== null; ) {
    const record = decodeBlock({ cid, bytes: await read(cid) }) as TaskRecord;
    records.push(record);
    cid = record.prev;
  }
  return records.reverse();
}
