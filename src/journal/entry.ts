import { CID } from "multiformats/cid";
import { IpdmError } from "../core/errors.ts";
import type { Hash } from "../core/ports.ts";
import { type Block, CODEC, cborBlock, decodeBlock, type Ipld } from "../dag/block.ts";
import { ENTRY_EVENTS_MAX, NAME_BYTES_MAX } from "./limits.ts";
import type { JournalEntry, RequestRecord, Skip } from "./port.ts";
import { SKIP_NUMBER_MAX, skipNumbers } from "./skip.ts";

const REQUESTS_MAX = 65_536;

/** Encodes an entry as its one dag-cbor block. Throws `DAG_NOT_ENCODABLE`. */
export function encodeEntry(hash: Hash, entry: JournalEntry): Block {
  return cborBlock(hash, entry);
}

/** Number of an entry's last event. */
export function lastSeq(entry: JournalEntry): number {
  return entry.seq + entry.events.length - 1;
}

/** Decodes a block as an entry, strictly: exact keys and kinds. Throws `ENTRY_MALFORMED`. Does not check the CID's hash. */
export function decodeEntry(block: Block): JournalEntry {
  return entryOf(block.cid, block.cid.code === CODEC.dagCbor ? decodeBlock(block) : undefined);
}

/** An entry from a block's decoded node, as strictly as {@link decodeEntry}. Throws `ENTRY_MALFORMED`. */
export function entryOf(cid: CID, value: unknown): JournalEntry {
  const bad = (what: string): IpdmError =>
    new IpdmError("ENTRY_MALFORMED", `block ${cid.toString()} is not a journal entry: ${what}`, {
      kind: "verification",
      where: cid.toString(),
    });
  if (cid.code !== CODEC.dagCbor) throw bad("it is not dag-cbor");
  const node = record(value);
  if (node === undefined) throw bad("it is not a map");
  for (const key of Object.keys(node)) if (!ENTRY_KEYS.has(key)) throw bad(`unknown key ${JSON.stringify(key)}`);
  const { v, actor, seq, prev, events, requests, checkpoint } = node;
  if (v !== 1) throw bad("v is not 1");
  if (!isActorId(actor)) throw bad("actor");
  if (!isSeq(seq)) throw bad("seq");
  const link = prev === null ? null : CID.asCID(prev);
  if (link === null && prev !== null) throw bad("prev");
  if ((link === null) !== (seq === 1)) throw bad("only the first entry has no prev");
  if (!Array.isArray(events) || events.length === 0 || events.length > ENTRY_EVENTS_MAX) throw bad("events");
  const checkpointLink = checkpoint === undefined ? undefined : CID.asCID(checkpoint);
  if (checkpointLink === null) throw bad("checkpoint");
  const parsed = parseRequests(requests);
  if (parsed === undefined) throw bad("requests");
  const entry: JournalEntry = { v: 1, actor, seq, prev: link, events: events as readonly Ipld[], requests: parsed };
  const skip = node["skip"] === undefined ? undefined : parseSkip(node["skip"]);
  if (skip === undefined ? node["skip"] !== undefined : checkpointLink === undefined || link === null)
    throw bad("skip");
  if (checkpointLink === undefined) return entry;
  return { ...entry, checkpoint: checkpointLink, ...(skip === undefined ? {} : { skip }) };
}

/** A non-empty text of at most 512 UTF-8 bytes without U+0000. */
export function isActorId(value: unknown): value is string {
  return (
    typeof value === "string" &&
    value.length > 0 &&
    value.length <= NAME_BYTES_MAX &&
    new TextEncoder().encode(value).length <= NAME_BYTES_MAX &&
    !value.includes("\0") &&
    value.isWellFormed()
  );
}

/** A positive safe integer. */
export function isSeq(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 1;
}

/** A plain map, or `undefined` when the value is not one. */
export function record(value: unknown): Readonly<Record<string, unknown>> | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  if (value instanceof Uint8Array || CID.asCID(value) !== null) return undefined;
  return value as Readonly<Record<string, unknown>>;
}

/** Request records of an entry or checkpoint; `undefined` when the value is not a list of them. */
export function parseRequests(value: unknown): readonly RequestRecord[] | undefined {
  if (!Array.isArray(value) || value.length > REQUESTS_MAX) return undefined;
  const requests: RequestRecord[] = [];
  for (const item of value) {
    const node = record(item);
    if (node === undefined || Object.keys(node).length !== 3) return undefined;
    const { id, type, params } = node;
    if (typeof id !== "string" || typeof type !== "string" || params === undefined) return undefined;
    requests.push({ id, type, params: params as Ipld });
  }
  return requests;
}

/** Skip links as an entry holds them; `undefined` when the value is not such a thing. */
function parseSkip(value: unknown): Skip | undefined {
  const node = record(value);
  if (node === undefined || Object.keys(node).length !== 2) return undefined;
  const { n, links } = node;
  if (!isSeq(n) || n > SKIP_NUMBER_MAX || !Array.isArray(links) || links.length !== skipNumbers(n).length)
    return undefined;
  const cids = links.map((link) => CID.asCID(link));
  return cids.every((cid) => cid !== null) ? { n, links: cids } : undefined;
}

const ENTRY_KEYS: ReadonlySet<string> = new Set([
  "v",
  "actor",
  "seq",
  "prev",
  "events",
  "requests",
  "checkpoint",
  "skip",
]);
