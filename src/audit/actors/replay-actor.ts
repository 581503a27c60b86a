import { readFile } from "node:fs/promises";
import { CID } from "multiformats/cid";
import { IpdmError } from "../../core/errors.ts";
import { CODEC } from "../../dag/block.ts";
import { readCar } from "../../dag/car.ts";
import { decodeCheckpoint } from "../../journal/checkpoint.ts";
import { decodeEntry } from "../../journal/entry.ts";
import type { Store } from "../../journal/port.ts";
import { sha256 } from "../../node.ts";
import type { MachineSpec } from "../../runtime/machine.ts";
import { replayJournal } from "../../runtime/replay-journal.ts";
import type { JournalReplayReport } from "../../runtime/replay-report.ts";

/** Which part of a journal is replayed, and with what. */
export interface ActorReplay {
  readonly machines: readonly MachineSpec[];
  readonly at?: number | undefined;
  /** A checkpoint's CID, or the number of the event that it was taken at. */
  readonly from?: string | undefined;
}

type Blocks = ReadonlyMap<string, Uint8Array>;

/** Replays the journal of an actor of a store, or the journal that ends with an entry of this CID. Throws `ACTOR_UNKNOWN`. */
export async function replayActor(store: Store, what: string, replay: ActorReplay): Promise<JournalReplayReport> {
  const head = parseCid(what) ?? (await store.head(what))?.cid;
  if (head === undefined)
    throw new IpdmError("ACTOR_UNKNOWN", `there is no actor ${what} here`, {
      kind: "usage",
      where: what,
      hint: "`ipdm-runtime actors list` shows those that there are",
    });
  return replayed(head, await journalBlocks(store, head), replay);
}

/** Replays a journal from a CAR file whose root is its newest entry. Throws `CAR_MALFORMED` and the like. */
export async function replayJournalFile(path: string, replay: ActorReplay): Promise<JournalReplayReport> {
  const { root, blocks } = readCar(sha256, new Uint8Array(await readFile(path)));
  return replayed(root, new Map([...blocks].map(([cid, { bytes }]) => [cid, bytes])), replay);
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
  for (let at: CID | null = head; at !== null; ) {
    const bytes = blocks.get(at.toString());
    if (bytes === undefined) break;
    const entry = decodeEntry({ cid: at, bytes });
    if (entry.checkpoint !== undefined && String(entry.seq + entry.events.length - 1) === seq) return entry.checkpoint;
    at = entry.prev;
  }
  throw new IpdmError("USAGE", `the journal has no checkpoint at event ${seq}`, {
    kind: "usage",
    hint: "`ipdm-runtime events tail --json` shows where checkpoints are; give an event's number or a checkpoint's CID",
  });
}

/** A CID in text; `undefined` where the text is none. */
export function parseCid(text: string): CID | undefined {
  try {
    return CID.parse(text);
  } catch {
    return undefined;
  }
}
