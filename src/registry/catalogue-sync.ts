import maxSatisfying from "semver/ranges/max-satisfying.js";
import type { CatalogueRecord } from "../../actors/catalogue/record.ts";
import type { ModuleReference } from "../config/module-reference.ts";
import { type ModuleEntry, parseModuleEntry } from "../consensus/module-entry.ts";
import { toHex } from "../core/bytes.ts";
import { IpdmError } from "../core/errors.ts";
import { type Block, CODEC, decodeStrict } from "../dag/block.ts";
import type { Network, PeerKey } from "../network/port.ts";
import { sha256 } from "../node.ts";
import type { Catalogue } from "./catalogue.ts";
import { blamed, held, type PeerCatalogue, peerFalse, walkList } from "./catalogue-walk.ts";

/** Bytes that one sync takes from a peer unless told otherwise. */
export const SYNC_BYTES_MAX = 256 * 1024 * 1024;
/** How long one sync may take unless told otherwise, in milliseconds. */
export const SYNC_TIMEOUT_MS = 300_000;
/** Entries whose modules are asked for together. */
const CHUNK_ENTRIES = 32;

/** How much of a peer's catalogue is taken. */
export interface SyncOptions {
  readonly signal?: AbortSignal | undefined;
  readonly bytesMax?: number | undefined;
  /** The newest version of each alone; all that the peer has when left out. */
  readonly wanted?: readonly ModuleReference[] | undefined;
}

/** A version that a peer has and this catalogue does not take, with the code of why. */
export interface NotTaken {
  readonly name: string;
  readonly version: string;
  readonly code: string;
  readonly message: string;
}

/** What came of a sync. */
export interface SyncReport {
  /** Key of the peer, hexadecimal, and the entries of its catalogue. */
  readonly peer: string;
  readonly records: number;
  readonly added: readonly { readonly name: string; readonly version: string }[];
  /** Entries wanted that were here before. */
  readonly present: number;
  readonly refused: readonly NotTaken[];
  readonly bytes: number;
}

/**
 * Takes from a peer's catalogue what this one does not have. Everything is checked as if a stranger had sent it: the list of records from
 * its signed head on, every entry against its record and its publisher's signature, every module by the static check; then the rules
 * of this catalogue decide. What was added stays when a sync is stopped, and the next goes on from there. Throws
 * `CATALOGUE_PEER_FALSE` naming the peer that gave something false, `CATALOGUE_SYNC_LIMIT`, and what the network throws.
 */
export async function syncCatalogue(
  catalogue: Catalogue,
  network: Network,
  peer: PeerKey,
  { signal, bytesMax = SYNC_BYTES_MAX, wanted }: SyncOptions = {},
): Promise<SyncReport> {
  let bytes = 0;
  const spend = (more: number): void => {
    bytes += more;
    if (bytes > bytesMax) throw overLimit(peer, bytesMax);
  };
  const from: PeerCatalogue = { network, peer, signal, spend };
  const { records } = await walkList(catalogue, from);
  const added: { readonly name: string; readonly version: string }[] = [];
  const refused: NotTaken[] = [];
  let present = 0;
  const missing: CatalogueRecord[] = [];
  for (const record of wanted === undefined ? records : newestOf(records, wanted)) {
    const existing = catalogue.recordOf(record.name, record.version)?.entry;
    if (existing?.equals(record.entry) === true) present++;
    else missing.push(record);
  }
  for (let at = 0; at < missing.length; at += CHUNK_ENTRIES) {
    const taken = await takeChunk(catalogue, from, missing.slice(at, at + CHUNK_ENTRIES));
    added.push(...taken.added);
    refused.push(...taken.refused);
  }
  return { peer: toHex(peer), records: records.length, added, present, refused, bytes };
}

/** The newest record that each reference means; a peer that has none of it gives nothing. */
function newestOf(records: readonly CatalogueRecord[], wanted: readonly ModuleReference[]): CatalogueRecord[] {
  const chosen = new Set<CatalogueRecord>();
  for (const { name, range } of wanted) {
    const ofName = records.filter((record) => record.name === name);
    const version = maxSatisfying(
      ofName.map((record) => record.version),
      range,
    );
    const record = ofName.find((one) => one.version === version);
    if (record !== undefined) chosen.add(record);
  }
  return records.filter((record) => chosen.has(record));
}

async function takeChunk(
  catalogue: Catalogue,
  from: PeerCatalogue,
  records: readonly CatalogueRecord[],
): Promise<{ readonly added: { name: string; version: string }[]; readonly refused: NotTaken[] }> {
  const added: { name: string; version: string }[] = [];
  const refused: NotTaken[] = [];
  // A name that is another's here, or a version with other contents: known before anything is fetched.
  const open = records.filter((record) => {
    const code = standsAgainst(catalogue, record);
    if (code !== undefined) refused.push({ ...named(record), code, message: "this catalogue has another" });
    return code === undefined;
  });
  const entries: { readonly record: CatalogueRecord; readonly entry: ModuleEntry }[] = [];
  const fetched = new Map<string, Block>();
  for await (const block of blocksOf(
    from,
    open.map(({ entry }) => entry),
  ))
    fetched.set(block.cid.toString(), block);
  for (const record of open) {
    const block = fetched.get(record.entry.toString());
    if (block === undefined) continue;
    const entry = readEntry(from.peer, record, block);
    if (entry instanceof IpdmError) refused.push({ ...named(record), code: entry.code, message: entry.message });
    else entries.push({ record, entry });
  }
  const waiting = [...entries];
  for await (const { cid, bytes } of blocksOf(
    from,
    entries.map(({ entry }) => entry.module),
  )) {
    while (waiting[0] !== undefined && waiting[0].entry.module.equals(cid) === false) waiting.shift();
    const next = waiting.shift();
    if (next === undefined) break;
    try {
      await catalogue.add(next.entry, bytes);
      added.push(named(next.record));
    } catch (error) {
      if (!(error instanceof IpdmError) || isOurs(error)) throw error;
      // A signature that is not the publisher's is no entry of any honest catalogue; the rest may be newer than this program.
      if (error.code === "MODULE_SIGNATURE") throw blamed(from.peer, error);
      refused.push({ ...named(next.record), code: error.code, message: error.message });
    }
  }
  return { added, refused };
}

/** Blocks from the peer, each checked against its CID. */
async function* blocksOf({ network, peer, signal, spend }: PeerCatalogue, cids: readonly CatalogueRecord["entry"][]) {
  try {
    for await (const block of network.fetchBlocks(peer, cids, { signal })) {
      spend(block.bytes.length);
      yield block;
    }
  } catch (error) {
    throw blamed(peer, error);
  }
}

/** The entry that a record names. One that says something else than its record is false; one of a form that is not known here is returned as its error. */
function readEntry(peer: PeerKey, record: CatalogueRecord, block: Block): ModuleEntry | IpdmError {
  const value = held(peer, () => decodeStrict(sha256, block));
  let entry: ModuleEntry;
  try {
    entry = parseModuleEntry(value);
  } catch (error) {
    if (error instanceof IpdmError) return error;
    throw error;
  }
  const { name, version, module, publisher } = record;
  const isSame =
    entry.name === name &&
    entry.version === version &&
    entry.module.equals(module) &&
    module.code === CODEC.raw &&
    Buffer.compare(entry.publisher, publisher) === 0;
  if (!isSame)
    throw peerFalse(peer, `its record of ${name}@${version} says other than the entry ${record.entry.toString()}`);
  return entry;
}

function standsAgainst(catalogue: Catalogue, { name, version, publisher }: CatalogueRecord): string | undefined {
  const owner = catalogue.ownerOf(name);
  if (owner !== undefined && Buffer.compare(owner, publisher) !== 0) return "CATALOGUE_NAME_TAKEN";
  return catalogue.recordOf(name, version) === undefined ? undefined : "CATALOGUE_VERSION_TAKEN";
}

/** Errors of this catalogue, not of what was to be added. */
function isOurs({ code, kind }: IpdmError): boolean {
  return (
    kind === "interrupted" || code === "CATALOGUE_FULL" || code === "CATALOGUE_CORRUPT" || code.startsWith("JOURNAL_")
  );
}

function named({ name, version }: CatalogueRecord): { name: string; version: string } {
  return { name, version };
}

function overLimit(peer: PeerKey, bytesMax: number): IpdmError {
  return new IpdmError("CATALOGUE_SYNC_LIMIT", `${toHex(peer)} has more for this catalogue than ${bytesMax} bytes`, {
    where: toHex(peer),
    hint: "what came is kept: the same command goes on from here",
    retry: "now",
    facts: { bytesMax },
  });
}
