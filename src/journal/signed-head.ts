import { CID } from "multiformats/cid";
import { concat, equalBytes, toHex, utf8 } from "../core/bytes.ts";
import { IpdmError } from "../core/errors.ts";
import type { Hash, Signer, Verify } from "../core/ports.ts";
import { type Block, CODEC, cborBlock, decodeBlock } from "../dag/block.ts";
import { encodeCbor } from "../dag/cbor-encoder.ts";
import { isActorId, isSeq, lastSeq, record } from "./entry.ts";
import type { Store, StoredEntry } from "./port.ts";

/** What a node says of an actor's journal: it ended with this entry, at this event. */
export interface SignedHead {
  readonly v: 1;
  readonly actor: string;
  /** The node's own count of what it signed about this actor, from 1, without a gap. */
  readonly number: number;
  /** Number of the journal's last event. */
  readonly seq: number;
  readonly head: CID;
  /** The signed head before. */
  readonly prev: CID | null;
  /** Ed25519 public key, 32 bytes. */
  readonly key: Uint8Array;
  readonly signature: Uint8Array;
}

/** Two things that one key has signed and that no honest node signs both. */
export interface ForkEvidence {
  readonly kind: "number" | "seq" | "order" | "history";
  readonly a: SignedHead;
  readonly b: SignedHead;
  /** For `history`: entries from the newer head back to the one that holds the older head's event, each linked by the one before. */
  readonly way?: readonly StoredEntry[];
}

const DOMAIN = utf8("ipdm/head/1\0");
const KEYS = ["v", "actor", "number", "seq", "head", "prev", "key", "signature"];

/**
 * Signs the head of an actor's journal as it is now, and remembers that before it gives the signature away. Asked again about the same head it
 * gives the same signature. Throws `JOURNAL_FORK` where the journal has lost what was signed before, `ACTOR_UNKNOWN`.
 */
export async function signHead(store: Store, hash: Hash, signer: Signer, actor: string): Promise<Block> {
  const head = await store.head(actor);
  if (head === undefined) throw new IpdmError("ACTOR_UNKNOWN", `there is no actor ${actor} here`, { where: actor });
  const place = `head/${toHex(hash(concat(signer.publicKey, utf8(actor))))}`;
  const bytes = await store.meta.get(place);
  const before = bytes === undefined ? undefined : cborBlock(hash, decodeBlock({ cid: dagCborCid(hash), bytes }));
  const last = before === undefined ? undefined : decodeSignedHead(before);
  if (before !== undefined && last?.seq === head.seq && last.head.equals(head.cid)) return before;
  if (last !== undefined && last.seq >= head.seq) throw forked(actor, last, head.seq);
  const body = {
    v: 1,
    actor,
    number: (last?.number ?? 0) + 1,
    seq: head.seq,
    head: head.cid,
    prev: before?.cid ?? null,
    key: signer.publicKey,
  } as const;
  const signed: SignedHead = { ...body, signature: signer.sign(concat(DOMAIN, encodeCbor(body))) };
  const block = cborBlock(hash, signed);
  await store.meta.put(place, block.bytes);
  await store.blocks.put(block);
  return block;
}

/** Decodes a block as a signed head, strictly. Throws `HEAD_MALFORMED`. Does not check the signature. */
export function decodeSignedHead(block: Block): SignedHead {
  const node = block.cid.code === CODEC.dagCbor ? record(decodeBlock(block)) : undefined;
  const head = CID.asCID(node?.["head"]);
  const prev = node?.["prev"] === null ? null : (CID.asCID(node?.["prev"]) ?? undefined);
  const { v, actor, number, seq, key, signature } = node ?? {};
  const isSound =
    node !== undefined && Object.keys(node).length === KEYS.length && KEYS.every((name) => Object.hasOwn(node, name));
  if (!isSound || v !== 1 || !isActorId(actor) || !isSeq(number) || !isSeq(seq) || head === null || prev === undefined)
    throw malformed(block.cid);
  if ((prev === null) !== (number === 1)) throw malformed(block.cid);
  if (!(key instanceof Uint8Array) || key.length !== 32) throw malformed(block.cid);
  if (!(signature instanceof Uint8Array) || signature.length !== 64) throw malformed(block.cid);
  return { v: 1, actor, number, seq, head, prev, key, signature };
}

/** True when the key has signed it. */
export function isSigned(verify: Verify, { signature, ...body }: SignedHead): boolean {
  return verify(body.key, concat(DOMAIN, encodeCbor(body)), signature);
}

/**
 * What shows that a node told two histories of an actor: two signed heads of one key with one number or one event but not one entry; with
 * numbers and events in different orders; or, with the way from the newer head back, a newer one whose history does not hold
 * the older. `undefined` where they go together, or a signature is wrong.
 */
export function forkEvidence(
  verify: Verify,
  one: SignedHead,
  other: SignedHead,
  way?: readonly StoredEntry[],
): ForkEvidence | undefined {
  const [a, b] =
    one.number < other.number || (one.number === other.number && one.seq <= other.seq) ? [one, other] : [other, one];
  if (a.actor !== b.actor || !equalBytes(a.key, b.key) || !isSigned(verify, a) || !isSigned(verify, b))
    return undefined;
  const isSame = a.head.equals(b.head) && a.seq === b.seq;
  if (a.number === b.number) return isSame ? undefined : { kind: "number", a, b };
  if (a.seq === b.seq) return isSame ? undefined : { kind: "seq", a, b };
  if (a.seq > b.seq) return { kind: "order", a, b };
  if (way === undefined || !contradicts(a, b, way)) return undefined;
  return { kind: "history", a, b, way };
}

/** Whether a way that begins at the newer head leads to another entry than the older head at its event. */
function contradicts(a: SignedHead, b: SignedHead, way: readonly StoredEntry[]): boolean {
  if (way[0]?.cid.equals(b.head) !== true || way[0].entry.actor !== b.actor) return false;
  for (const [at, { cid, entry }] of way.entries()) {
    const next = way[at + 1];
    const links = [...(entry.prev === null ? [] : [entry.prev]), ...(entry.skip?.links ?? [])];
    if (next !== undefined && !links.some((link) => link.equals(next.cid))) return false;
    if (next === undefined) return entry.seq <= a.seq && lastSeq(entry) >= a.seq && !cid.equals(a.head);
  }
  return false;
}

function dagCborCid(hash: Hash): CID {
  return cborBlock(hash, null).cid; // only its codec counts
}

function forked(actor: string, last: SignedHead, seq: number): IpdmError {
  return new IpdmError(
    "JOURNAL_FORK",
    `the journal of ${actor} ends at event ${seq}, and this node signed one that ends at ${last.seq}`,
    {
      kind: "conflict",
      where: actor,
      hint: "an older copy of the folder is in use: put back the newest one, or everyone can show that this node told two histories",
      facts: { actor, signed: last.seq, found: seq, head: last.head.toString() },
    },
  );
}

function malformed(cid: CID): IpdmError {
  return new IpdmError("HEAD_MALFORMED", `block ${cid.toString()} is not a signed head`, {
    kind: "verification",
    where: cid.toString(),
  });
}
