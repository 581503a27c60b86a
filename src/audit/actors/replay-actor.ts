import { readFile } from "node:fs/promises";
import { CID } from "multiformats/cid";
import { IpdmError } from "../../core/errors.ts";
import { CODEC } from "../../dag/block.ts";
import { readCar } from "../../dag/car.ts";
import { decodeCheckpoint } from "../../journal/checkpoint.ts";
import { decodeEntry, lastSeq } from "../../journal/entry.ts";
import type { Store } from "../../journal/port.ts";
import type { SignedHead } from "../../journal/signed-head.ts";
import { sha256 } from "../../node.ts";
import type { MachineSpec } from "../../runtime/machine.ts";
import { replayJournal } from "../../runtime/replay-journal.ts";
import type { JournalReplayReport } from "../../runtime/replay-report.ts";
import { signedHeadsIn } from "../journals/journal-file.ts";

/** Which part of a journal is replayed, and with what. */
export interface ActorReplay {
  readonly machines: readonly MachineSpec[];
  readonly at?: number | undefined;
  /** A checkpoint's CID, or the number of the event that it was taken at. */
  readonly from?: string | undefined;
}

/** Checkpoints that are named where there is none at an event. */
const NEAR_MAX = 6;

type Blocks = ReadonlyMap<string, Uint8Array>;

/** What a replay found, and who signed the journal's heads. */
export interface ActorReplayReport extends JournalReplayReport {
  readonly signed: readonly SignedHead[];
}

/**
 * Replays the journal of an actor of a store, or the journal that ends with an entry of this CID. Throws `ACTOR_UNKNOWN`, and `JOURNAL_ARCHIVED`
 * where its beginning was dropped and no checkpoint is said to begin at.
 */
export async function replayActor(store: Store, what: string, replay: ActorReplay): Promise<ActorReplayReport> {
  const head = parseCid(what) ?? (await store.head(what))?.cid;
  if (head === undefined)
    throw new IpdmError("ACTOR_UNKNOWN", `there is no actor ${what} here`, {
      kind: "usage",
      where: what,
      hint: "`ipdm-runtime actors list` shows those that there are",
    });
  const blocks = await journalBlocks(store, head);
  if (replay.from === undefined) await refuseArchived(store, head, blocks);
  return { ...replayed(head, blocks, replay), signed: [] };
}

/** Replays a journal from a CAR file whose root is its newest entry. Throws `CAR_MALFORMED` and the like, `SIGNATURE_INVALID`. */
export async function replayJournalFile(path: string, replay: ActorReplay): Promise<ActorReplayReport> {
  const { root, blocks } = readCar(sha256, new Uint8Array(await readFile(path)));
  const signed = signedHeadsIn(blocks.values());
  return { ...replayed(root, new Map([...blocks].map(([cid, { bytes }]) => [cid, bytes])), replay), signed };
}

async function refuseArchived(store: Store, head: CID, blocks: Blocks): Promise<void> {
  const bytes = blocks.get(head.toString());
  if (bytes === undefined) return;
  const { actor } = decodeEntry({ cid: head, bytes });
  const kept = await store.kept(actor);
  const oldest = checkpointsOf(head, blocks).at(-1);
  if (kept === 1 || oldest === undefined) return;
  throw new IpdmError("JOURNAL_ARCHIVED", `the journal of ${actor} is kept from event ${kept} on`, {
    where: actor,
    hint: `begin at its oldest checkpoint (--from ${oldest.seq}), or replay its archive`,
    facts: { actor, kept, checkpoint: oldest.seq },
  });
}

/** True for a CAR file whose root is in dag-cbor: a journal, while a receipt's root is in dag-json. */
export function isJournalFile(bytes: Uint8Array): boolean {
  return readCar(sha256, bytes).root.code === CODEC.dagCbor;
}

function replayed(head: CID, blocks: Blocks, { machines, at, from }: ActorReplay): JournalReplayReport {
  const checkpoint = from === undefined ? undefined : (parseCid(from) ?? checkpointAt(head, blocks, from));
  return replayJournal({
    head,
    block: (cid) => blocks.get(cid.toString()),
    hash: sha256,
    machines,
    ...(at === undefined ? {} : { at }),
    ...(checkpoint === undefined ? {} : { from: checkpoint }),
  });
}

/** Entries, checkpoints and their states: what a replay reads. Blocks that are missing are left to the replay to name. */
async function journalBlocks(store: Store, head: CID): Promise<Blocks> {
  const blocks = new Map<string, Uint8Array>();
  const keep = async (cid: CID): Promise<Uint8Array | undefined> => {
    const bytes = await store.blocks.get(cid);
    if (bytes !== undefined) blocks.set(cid.toString(), bytes);
    return bytes;
  };
  for (let at: CID | null = head; at !== null; ) {
    const bytes: Uint8Array | undefined = await keep(at);
    if (bytes === undefined || at.code !== CODEC.dagCbor) break;
    const entry = decodeEntry({ cid: at, bytes });
    if (entry.checkpoint !== undefined) {
      const checkpoint = await keep(entry.checkpoint);
      if (checkpoint !== undefined) await keep(decodeCheckpoint({ cid: entry.checkpoint, bytes: checkpoint }).state);
    }
    at = entry.prev;
  }
  return blocks;
}

function checkpointAt(head: CID, blocks: Blocks, seq: string): CID {
  const all = checkpointsOf(head, blocks);
  const found = all.find((each) => String(each.seq) === seq);
  if (found !== undefined) return found.cid;
  const near = all.sort((a, b) => Math.abs(a.seq - Number(seq)) - Math.abs(b.seq - Number(seq))).slice(0, NEAR_MAX);
  const places = near.map((each) => each.seq).sort((a, b) => a - b);
  throw new IpdmError("USAGE", `the journal has no checkpoint at event ${seq}`, {
    kind: "usage",
    hint:
      places.length === 0
        ? "it has none"
        : `give an event's number or a checkpoint's CID; near ones: ${places.join(", ")}`,
  });
}

/** The checkpoints of a journal and their events, newest first, as far back as its entries are there. */
function checkpointsOf(head: CID, blocks: Blocks): { readonly seq: number; readonly cid: CID }[] {
  const found: { readonly seq: number; readonly cid: CID }[] = [];
  for (let at: CID | null = head; at !== null; ) {
    const bytes = blocks.get(at.toString());
    if (bytes === undefined) break;
    const entry = decodeEntry({ cid: at, bytes });
    if (entry.checkpoint !== undefined) found.push({ seq: lastSeq(entry), cid: entry.checkpoint });
    at = entry.prev;
  }
  return found;
}

/** A CID in text; `undefined` where the text is none. */
export function parseCid(text: string): CID | undefined {
  try {
    return CID.parse(text);
  } catch {
    return undefined;
  }
}
