// Where a JSON object or list ends. No module of a pipeline: the readers of chains call it (src/sources/chain/brackets.ts). The text comes in
// pieces; what is open is kept from one to the next.
import { beginBrackets, bracketsEnd } from "../json/brackets";

/** Bytes of a piece, and where it is put, with room behind it. */
const PIECE_BYTES: i32 = 262144;
const PIECE = memory.data(262144 + 64, 64);

export function place(): usize {
  return PIECE;
}

export function room(): i32 {
  return PIECE_BYTES;
}

/** Begins before an opening bracket. */
export function begin(): void {
  beginBrackets();
}

/** Looks through the next bytes. Returns the position behind the bracket that closes the first one, or -1 where it is not among them. */
export function scan(length: i32): i32 {
  const end = bracketsEnd(PIECE, PIECE + length);
  return end == 0 ? -1 : <i32>(end - PIECE);
}
