import type { CID } from "multiformats/cid";
import { IpdmError } from "../../src/core/errors.ts";
import type { Hash } from "../../src/core/ports.ts";
import { decodeStrict } from "../../src/dag/block.ts";
import { type CatalogueRecord, parseRecord } from "./record.ts";

/** Most entries of one catalogue: its index is held in memory. */
export const CATALOGUE_ENTRIES_MAX = 65_536;

/** A name of a catalogue: who owns it, and its records by version. */
export interface Shelved {
  readonly owner: Uint8Array;
  readonly versions: ReadonlyMap<string, CatalogueRecord>;
}

/** A catalogue's records by name and version, in memory: made by following the list from its newest record. */
export class Shelf {
  private readonly names = new Map<
    string,
    { readonly owner: Uint8Array; readonly versions: Map<string, CatalogueRecord> }
  >();
  private readonly blocks = new Set<string>();
  private readonly listed = new Set<string>();
  private count = 0;
  private newest: CID | null = null;

  /** Entries on it. */
  get size(): number {
    return this.count;
  }

  /** The newest record that it knows. */
  get head(): CID | null {
    return this.newest;
  }

  name(name: string): Shelved | undefined {
    return this.names.get(name);
  }

  /** True for an entry or a module of it. */
  holds(cid: CID): boolean {
    return this.blocks.has(cid.toString());
  }

  /** True for a record of it. */
  lists(cid: CID): boolean {
    return this.listed.has(cid.toString());
  }

  /** All records, by name, then in the order in which they were published. */
  *records(): Generator<CatalogueRecord> {
    for (const name of [...this.names.keys()].sort()) yield* this.names.get(name)?.versions.values() ?? [];
  }

  /** Follows the list from `head` back to what is known. Throws `CATALOGUE_CORRUPT` where the list is not what it should be. */
  async follow(hash: Hash, head: CID | null, read: (cid: CID) => Promise<Uint8Array | undefined>): Promise<void> {
    const found: { readonly cid: CID; readonly record: CatalogueRecord }[] = [];
    for (let cid = head; cid !== null && cid.toString() !== this.newest?.toString(); ) {
      const bytes = await read(cid);
      if (bytes === undefined) throw corrupt(cid, "a record is missing");
      const record = parseRecord(decodeStrict(hash, { cid, bytes }));
      if (found.length >= CATALOGUE_ENTRIES_MAX)
        throw corrupt(cid, `there are more than ${CATALOGUE_ENTRIES_MAX} records`);
      found.push({ cid, record });
      cid = record.prev;
    }
    for (const { cid, record } of found.reverse()) this.add(cid, record);
  }

  /** Adds the record that follows the newest. Throws `CATALOGUE_CORRUPT` when it breaks a rule that every catalogue keeps. */
  add(cid: CID, record: CatalogueRecord): void {
    const { name, version, publisher, seq, prev } = record;
    if (seq !== this.count || prev?.toString() !== this.newest?.toString())
      throw corrupt(cid, `record ${seq} does not follow record ${this.count - 1}`);
    let shelved = this.names.get(name);
    if (shelved === undefined) {
      shelved = { owner: publisher, versions: new Map() };
      this.names.set(name, shelved);
    }
    if (shelved.versions.has(version) || Buffer.compare(shelved.owner, publisher) !== 0)
      throw corrupt(cid, `${name}@${version} has no place after what stands before it`);
    shelved.versions.set(version, record);
    this.blocks.add(record.entry.toString()).add(record.module.toString());
    this.listed.add(cid.toString());
    this.count++;
    this.newest = cid;
  }
}

function corrupt(cid: CID, what: string): IpdmError {
  return new IpdmError("CATALOGUE_CORRUPT", `the catalogue's records are damaged: ${what}`, {
    kind: "verification",
    where: cid.toString(),
    hint: "import its modules into a new catalogue",
  });
}
