import { deflateRawSync, inflateRawSync } from "node:zlib";
import type { CID } from "multiformats/cid";
import { concat, equalBytes } from "../core/bytes.ts";
import type { Hash } from "../core/ports.ts";
import { type Block, CODEC, cidOf } from "../dag/block.ts";
import { decodeVarint, encodeVarint } from "../dag/varint.ts";
import { FRAME_BYTES_MAX } from "./limits.ts";

const VERSION = 1;
const CID_BYTES = 36;
/** How `"prev": <link>` stands in an entry: the key, the tag of links, a byte string of 37 bytes that begins with 0. */
const PREV = Uint8Array.of(0x64, 0x70, 0x72, 0x65, 0x76, 0xd8, 0x2a, 0x58, 0x25, 0x00);
/** What stands before it: the map's head, `"v": 1`, `"seq":`. */
const BEFORE_SEQ = Uint8Array.of(0x61, 0x76, 0x01, 0x63, 0x73, 0x65, 0x71);

/**
 * Packs consecutive entries of one actor into a frame: each entry's block as it is, but for the link to the entry before it in the frame,
 * which follows from that entry's bytes; compressed (DEFLATE). The layout is in `docs/reference/journal.md`.
 */
export function packFrame(blocks: readonly Block[]): Buffer {
  const parts: Uint8Array[] = [];
  let before: CID | undefined;
  for (const { cid, bytes } of blocks) {
    const at = before === undefined ? undefined : prevAt(bytes);
    const isCut =
      at !== undefined && before !== undefined && equalBytes(bytes.subarray(at, at + CID_BYTES), before.bytes);
    const kept = isCut ? [bytes.subarray(0, at), bytes.subarray(at + CID_BYTES)] : [bytes];
    const size = isCut ? bytes.length - CID_BYTES : bytes.length;
    // The lowest bit says whether a link was cut out.
    parts.push(encodeVarint(size * 2 + (isCut ? 1 : 0)), ...kept);
    before = cid;
  }
  return Buffer.concat([Uint8Array.of(VERSION), deflateRawSync(concat(...parts), { level: 9 })]);
}

/**
 * Unpacks a frame: the blocks of its entries, oldest first, each under the CID that its bytes have. `undefined` where the bytes are not a
 * frame. That they are the entries they should be shows in their CIDs.
 */
export function unpackFrame(hash: Hash, frame: Uint8Array): readonly Block[] | undefined {
  if (frame[0] !== VERSION) return undefined;
  let bytes: Uint8Array;
  try {
    bytes = inflateRawSync(frame.subarray(1), { maxOutputLength: 2 * FRAME_BYTES_MAX + 64 * 1024 * 1024 });
  } catch {
    return undefined;
  }
  const blocks: Block[] = [];
  let at = 0;
  while (at < bytes.length) {
    const head = decodeVarint(bytes, at);
    if (head === undefined) return undefined;
    const size = Math.floor(head.value / 2);
    const kept = bytes.subarray(head.end, head.end + size);
    if (kept.length !== size) return undefined;
    const whole = head.value % 2 === 1 ? withLink(kept, blocks.at(-1)?.cid) : Uint8Array.from(kept);
    if (whole === undefined) return undefined;
    blocks.push({ cid: cidOf(hash, CODEC.dagCbor, whole), bytes: whole });
    at = head.end + size;
  }
  return blocks;
}

function withLink(kept: Uint8Array, before: CID | undefined): Uint8Array | undefined {
  const at = prevAt(kept);
  if (at === undefined || before === undefined) return undefined;
  return concat(kept.subarray(0, at), before.bytes, kept.subarray(at));
}

/** Where the link's CID begins in an entry's canonical bytes, in which `v`, `seq` and `prev` come first. */
function prevAt(bytes: Uint8Array): number | undefined {
  let at = 1;
  if (!equalBytes(bytes.subarray(at, at + BEFORE_SEQ.length), BEFORE_SEQ)) return undefined;
  at += BEFORE_SEQ.length;
  const low = (bytes[at] ?? 0) & 0x1f;
  at += 1 + (low < 24 ? 0 : 2 ** (low - 24));
  if (!equalBytes(bytes.subarray(at, at + PREV.length), PREV)) return undefined;
  return at + PREV.length;
}
