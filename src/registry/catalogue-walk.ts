import type { CID } from "multiformats/cid";
import { type CatalogueRecord, parseRecord } from "../../actors/catalogue/record.ts";
import { CATALOGUE_ENTRIES_MAX, Shelf } from "../../actors/catalogue/shelf.ts";
import { toHex } from "../core/bytes.ts";
import { IpdmError } from "../core/errors.ts";
import { type Block, decodeStrict } from "../dag/block.ts";
import type { Network, PeerKey } from "../network/port.ts";
import { sha256 } from "../node.ts";
import type { Catalogue } from "./catalogue.ts";
import {
  CATALOGUE_PROTOCOL,
  type CatalogueHead,
  encodeAsk,
  parseHead,
  parsePage,
  RECORD_BYTES_MAX,
} from "./catalogue-protocol.ts";

/** Another catalogue: the peer that has it, the way there, and what may be taken. */
export interface PeerCatalogue {
  readonly network: Network;
  readonly peer: PeerKey;
  readonly signal?: AbortSignal | undefined;
  /** Counts bytes that came; throws `CATALOGUE_SYNC_LIMIT`. */
  readonly spend: (bytes: number) => void;
}

/** The records of another catalogue, oldest first, and its head. */
export interface WalkedList {
  readonly head: CatalogueHead;
  readonly records: readonly CatalogueRecord[];
}

/**
 * Follows a peer's list of records from its signed head back to the first, by CID. Records that came once are kept, so that a walk
 * goes on where it was stopped, and the next asks for what is new alone. The list has to keep the rules of every catalogue, and to
 * go on from the head that the peer signed before. Throws `CATALOGUE_PEER_FALSE` naming the peer, and what the network throws.
 */
export async function walkList(catalogue: Catalogue, from: PeerCatalogue): Promise<WalkedList> {
  const { network, peer, signal } = from;
  const note = `catalogue-head/${toHex(peer)}`;
  const signed = await network.request(peer, CATALOGUE_PROTOCOL, encodeAsk({ v: 1, want: "head" }), { signal });
  const head = held(peer, () => parseHead(signed, peer));
  if (head.count > CATALOGUE_ENTRIES_MAX)
    throw peerFalse(peer, `it claims ${head.count} records; a catalogue holds ${CATALOGUE_ENTRIES_MAX}`);
  const newestFirst: { readonly cid: CID; readonly record: CatalogueRecord }[] = [];
  let page: ReadonlyMap<string, Block> = new Map();
  for (let cid = head.head; cid !== null; ) {
    const seq = head.count - 1 - newestFirst.length;
    const own = await catalogue.blocks.get(cid);
    if (own === undefined && !page.has(cid.toString())) page = await fetchPage(catalogue, from, cid, seq);
    const block = own === undefined ? (page.get(cid.toString()) as Block) : { cid, bytes: own };
    const record = held(peer, () => recordAt(block, seq));
    newestFirst.push({ cid, record });
    cid = record.prev;
  }
  if (newestFirst.length !== head.count)
    throw peerFalse(peer, `it signed a list of ${head.count} records, and there are ${newestFirst.length}`);
  const shelf = new Shelf();
  for (const { cid, record } of newestFirst.toReversed()) held(peer, () => shelf.add(cid, record));
  const before = await catalogue.notes.get(note);
  if (before !== undefined) goesOn(peer, parseHead(before, peer), newestFirst);
  await catalogue.notes.put(note, signed);
  return { head, records: newestFirst.map(({ record }) => record).reverse() };
}

/** A page of records, each of which the one before names. They are kept. */
async function fetchPage(
  catalogue: Catalogue,
  { network, peer, signal, spend }: PeerCatalogue,
  from: CID,
  seq: number,
): Promise<ReadonlyMap<string, Block>> {
  const answer = await network.request(peer, CATALOGUE_PROTOCOL, encodeAsk({ v: 1, want: "records", from }), {
    signal,
  });
  spend(answer.length);
  const page = new Map<string, Block>();
  held(peer, () => {
    let cid: CID | null = from;
    for (const bytes of parsePage(answer)) {
      if (cid === null) throw peerFalse(peer, "it sends records behind the first");
      const block: Block = { cid, bytes };
      cid = recordAt(block, seq - page.size).prev;
      page.set(block.cid.toString(), block);
    }
    if (page.size === 0) throw peerFalse(peer, "it does not give a record of the list that it signed");
  });
  await catalogue.blocks.putAll([...page.values()]);
  return page;
}

function recordAt(block: Block, seq: number): CatalogueRecord {
  if (block.bytes.length > RECORD_BYTES_MAX) throw malformedList(block.cid, `has ${block.bytes.length} bytes`);
  const record = parseRecord(decodeStrict(sha256, block));
  if (record.seq !== seq || (record.prev === null) !== (seq === 0))
    throw malformedList(block.cid, `says that it is number ${record.seq}, and stands as number ${seq}`);
  return record;
}

/** What a peer signed once stays part of its list: a published version never changes, and none is taken back. */
function goesOn(peer: PeerKey, before: CatalogueHead, newestFirst: readonly { readonly cid: CID }[]): void {
  if (before.head === null) return;
  const then = newestFirst[newestFirst.length - before.count];
  if (then?.cid.equals(before.head) === true) return;
  throw peerFalse(
    peer,
    `it signed the list of ${before.count} records that ends in ${before.head.toString()}, and now another`,
  );
}

/** What is wrong with what a peer gave is the peer's doing. */
export function held<T>(peer: PeerKey, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw blamed(peer, error);
  }
}

/** An error of checking what a peer gave, as one that names the peer; any other stays as it is. */
export function blamed(peer: PeerKey, error: unknown): unknown {
  if (!(error instanceof IpdmError) || error.code === "CATALOGUE_PEER_FALSE") return error;
  return error.kind === "verification" && error.facts["remote"] !== true
    ? peerFalse(peer, error.message, error)
    : error;
}

/** A peer that gives what no honest one would. */
export function peerFalse(peer: PeerKey, what: string, cause?: unknown): IpdmError {
  const key = toHex(peer);
  return new IpdmError("CATALOGUE_PEER_FALSE", `the catalogue of ${key} is false: ${what}`, {
    kind: "verification",
    where: key,
    hint: "take its modules from another peer, and ask whose key that is",
    facts: { peer: key },
    cause,
  });
}

function malformedList(cid: CID, what: string): IpdmError {
  return new IpdmError("CATALOGUE_CORRUPT", `record ${cid.toString()} ${what}`, {
    kind: "verification",
    where: cid.toString(),
  });
}
