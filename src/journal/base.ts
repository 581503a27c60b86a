import { CID } from "multiformats/cid";
import { decodeCbor } from "../dag/cbor.ts";
import { encodeCbor } from "../dag/cbor-encoder.ts";
import { isSeq, record } from "./entry.ts";

/** Where the kept entries of a journal begin, once older ones were dropped. */
export interface Base {
  /** Number of the first event of the oldest entry that is kept. */
  readonly seq: number;
  /** The entry before it: the newest one that was dropped, and the head of its archive. */
  readonly prev: CID;
  /** The journal's first entry, which is kept apart. */
  readonly first: CID;
}

export function encodeBase({ seq, prev, first }: Base): Buffer {
  return Buffer.from(encodeCbor({ v: 1, seq, prev, first }));
}

/** Throws where the bytes are not a base. */
export function decodeBase(bytes: Uint8Array): Base {
  const node = record(decodeCbor(bytes));
  const prev = CID.asCID(node?.["prev"]);
  const first = CID.asCID(node?.["first"]);
  const seq = node?.["seq"];
  if (node?.["v"] !== 1 || !isSeq(seq) || prev === null || first === null)
    throw new TypeError("not the base of a journal");
  return { seq, prev, first };
}
