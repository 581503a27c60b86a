import type { CID } from "multiformats/cid";
import { hasCode, IpdmError } from "../../core/errors.ts";
import type { Signer } from "../../core/ports.ts";
import { type Block, CODEC } from "../../dag/block.ts";
import { encodeCar, readCar } from "../../dag/car.ts";
import { decodeCheckpoint } from "../../journal/checkpoint.ts";
import { Chain } from "../../journal/continuity.ts";
import { decodeEntry, lastSeq } from "../../journal/entry.ts";
import type { Store, StoredEntry } from "../../journal/port.ts";
import { decodeSignedHead, isSigned, type SignedHead, signHead } from "../../journal/signed-head.ts";
import { sha256, verifyEd25519 } from "../../node.ts";

/** A journal, or the newest part of one, that was read from a file and checked. */
export interface JournalFile {
  readonly actor: string;
  /** Oldest first, each continuing the one before. */
  readonly entries: readonly StoredEntry[];
  /** Checkpoints and their states, by `cid.toString()`. */
  readonly blocks: ReadonlyMap<string, Block>;
  readonly checkpoints: number;
  /** Signed heads whose signatures are good and whose entries are there. */
  readonly heads: readonly SignedHead[];
}

/** Entries that one append waits for together, when a journal is imported. */
const IMPORT_PAGE = 1000;

/**
 * A journal as a CAR file whose root is its newest entry: the entries that are kept, their checkpoints and states, and, with a signer, the signed
 * head. Throws `ACTOR_UNKNOWN`, `CAR_MALFORMED` beyond a CAR file's limits, `JOURNAL_FORK`.
 */
export async function exportJournal(store: Store, actor: string, signer?: Signer): Promise<Uint8Array> {
  const head = await store.head(actor);
  if (head === undefined)
    throw new IpdmError("ACTOR_UNKNOWN", `there is no actor ${actor} here`, {
      kind: "usage",
      where: actor,
      hint: "`ipdm-runtime actors list` shows those that there are",
    });
  const entries: StoredEntry[] = [];
  for await (const stored of store.entries(actor, { from: await store.kept(actor) })) entries.push(stored);
  const signed = signer === undefined ? [] : [await signHead(store, sha256, signer, actor)];
  return await journalCar(store, entries, signed);
}

/** Entries that follow each other, as a CAR file whose root is the last of them. */
export async function journalCar(
  store: Store,
  entries: readonly StoredEntry[],
  more: readonly Block[] = [],
): Promise<Uint8Array> {
  const blocks = new Map<string, Block>();
  const keep = async (cid: CID): Promise<Uint8Array | undefined> => {
    const bytes = await store.blocks.get(cid);
    if (bytes !== undefined) blocks.set(cid.toString(), { cid, bytes });
    return bytes;
  };
  for (const { cid, bytes, entry } of [...entries].reverse()) {
    blocks.set(cid.toString(), { cid, bytes });
    const checkpoint = entry.checkpoint === undefined ? undefined : await keep(entry.checkpoint);
    if (entry.checkpoint !== undefined && checkpoint !== undefined)
      await keep(decodeCheckpoint({ cid: entry.checkpoint, bytes: checkpoint }).state);
  }
  for (const block of more) blocks.set(block.cid.toString(), block);
  return encodeCar((entries.at(-1) as StoredEntry).cid, blocks.values());
}

/**
 * Reads a journal's file and checks all that can be without the machine: hashes, encodings, links, numbers, skip links, checkpoints' places,
 * signatures. Throws `CAR_MALFORMED` and the like, `ENTRY_MALFORMED`, `JOURNAL_CORRUPT`, `CHECKPOINT_MALFORMED`, `HEAD_MALFORMED`, `CAR_UNREFERENCED_BLOCK`.
 */
export function readJournalFile(bytes: Uint8Array): JournalFile {
  const { root, blocks } = readCar(sha256, bytes);
  const entries = entriesBack(root, blocks);
  const first = entries[0] as StoredEntry;
  const { actor, prev, seq } = first.entry;
  const chain = new Chain(actor, prev === null ? undefined : { cid: prev, seq: seq - 1 });
  const rest = new Map(blocks);
  const own = new Map<string, Block>();
  const keep = (cid: CID): Block | undefined => {
    const block = blocks.get(cid.toString());
    if (block !== undefined) own.set(cid.toString(), block);
    rest.delete(cid.toString());
    return block;
  };
  let checkpoints = 0;
  for (const stored of entries) {
    const problem = chain.next(stored);
    if (problem !== undefined) throw broken(actor, stored.entry.seq, problem);
    rest.delete(stored.cid.toString());
    const block = stored.entry.checkpoint === undefined ? undefined : keep(stored.entry.checkpoint);
    if (block === undefined) continue;
    const checkpoint = decodeCheckpoint(block);
    if (checkpoint.actor !== actor || checkpoint.seq !== lastSeq(stored.entry))
      throw broken(actor, stored.entry.seq, "its checkpoint is of another event");
    keep(checkpoint.state);
    checkpoints += 1;
  }
  return { actor, entries, blocks: own, checkpoints, heads: headsOf(rest, entries) };
}

/**
 * Appends to a store what it does not have of a journal. Returns the number of entries. Throws `JOURNAL_CONFLICT` where the store's is another, or
 * has nothing of what comes before.
 */
export async function importJournal(store: Store, { actor, entries, blocks }: JournalFile): Promise<number> {
  const head = await store.head(actor);
  const known = head === undefined ? -1 : entries.findIndex(({ cid }) => cid.equals(head.cid));
  const isPart = head !== undefined && known < 0 && (await holds(store, entries.at(-1) as StoredEntry));
  const fresh = isPart ? [] : entries.slice(known + 1);
  const [oldest] = fresh;
  if (head === undefined && oldest !== undefined && oldest.entry.prev !== null) {
    throw new IpdmError(
      "JOURNAL_CONFLICT",
      `the file holds the journal of ${actor} from event ${oldest.entry.seq} on`,
      {
        kind: "conflict",
        where: actor,
        hint: `import the archive that ends with ${oldest.entry.prev.toString()} first`,
      },
    );
  }
  const carried = (cid: CID | undefined): readonly Block[] => {
    const block = cid === undefined ? undefined : blocks.get(cid.toString());
    if (block === undefined) return [];
    const state = blocks.get(decodeCheckpoint(block).state.toString());
    return state === undefined ? [block] : [block, state];
  };
  for (let at = 0; at < fresh.length; at += IMPORT_PAGE) {
    const page = fresh.slice(at, at + IMPORT_PAGE);
    await Promise.all(
      page.map(({ cid, bytes, entry }) =>
        store.append({ entry, block: { cid, bytes }, blocks: carried(entry.checkpoint) }),
      ),
    );
  }
  return fresh.length;
}

async function holds(store: Store, { cid }: StoredEntry): Promise<boolean> {
  return (await store.blocks.get(cid)) !== undefined;
}

/** Entries from the root back as far as the file goes, oldest first. */
function entriesBack(root: CID, blocks: ReadonlyMap<string, Block>): StoredEntry[] {
  const entries: StoredEntry[] = [];
  let block = blocks.get(root.toString());
  while (block !== undefined) {
    const entry = decodeEntry(block);
    entries.push({ ...block, entry });
    block = entry.prev === null ? undefined : blocks.get(entry.prev.toString());
  }
  return entries.reverse();
}

/** What else a file may hold: signed heads of its own entries. */
function headsOf(rest: ReadonlyMap<string, Block>, entries: readonly StoredEntry[]): readonly SignedHead[] {
  const known = new Map(entries.map(({ cid, entry }) => [cid.toString(), entry]));
  return [...rest.values()].map((block) => {
    if (block.cid.code !== CODEC.dagCbor) throw unreferenced(block.cid);
    const head = decodeSignedHead(block);
    const entry = known.get(head.head.toString());
    if (entry === undefined || entry.actor !== head.actor || lastSeq(entry) !== head.seq) throw unreferenced(block.cid);
    return checkSigned(block.cid, head);
  });
}

/** Every signed head among some blocks. Throws `SIGNATURE_INVALID`. */
export function signedHeadsIn(blocks: Iterable<Block>): readonly SignedHead[] {
  const heads: SignedHead[] = [];
  for (const block of blocks) {
    try {
      heads.push(checkSigned(block.cid, decodeSignedHead(block)));
    } catch (error) {
      if (!hasCode(error, "HEAD_MALFORMED")) throw error;
    }
  }
  return heads;
}

function checkSigned(cid: CID, head: SignedHead): SignedHead {
  if (isSigned(verifyEd25519, head)) return head;
  throw new IpdmError("SIGNATURE_INVALID", `the signature of the head at event ${head.seq} is not its key's`, {
    kind: "verification",
    where: cid.toString(),
  });
}

function broken(actor: string, seq: number, problem: string): IpdmError {
  return new IpdmError("JOURNAL_MISMATCH", `the journal of ${actor} at event ${seq}: ${problem}`, {
    kind: "verification",
    where: actor,
    hint: "do not rely on the file",
    facts: { actor, seq },
  });
}

function unreferenced(cid: CID): IpdmError {
  return new IpdmError("CAR_UNREFERENCED_BLOCK", `block ${cid.toString()} is no part of the journal`, {
    kind: "verification",
    where: cid.toString(),
  });
}
