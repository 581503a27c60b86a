import { allocate } from "../../sandbox/sdk/index";
import { hashLater } from "./keccak";

/** Bytes of a logs bloom. */
export const BLOOM_BYTES: usize = 256;
const HASH_BYTES: usize = 32;

// What was hashed before: address, length and where the hash is, by a hash of their bytes. Tokens and topics come again and again.
const SLOTS: u32 = 8192;
const FULL: u32 = 6000;
const SLOT_BYTES: usize = 12;
const KNOWN = memory.data(98304, 16);
const CHUNK_BYTES: usize = 8192;
let known: u32 = 0;
let hashes: usize = 0;
let hashesEnd: usize = 0;

/** Where the hash of an address (20 bytes) or topic (32 bytes) will be when what waits is hashed. Its bytes stay where they are. */
export function hashForBloom(bytes: usize, length: usize): usize {
  const tail = load<u64>(bytes + length - 8);
  const mixed = (tail ^ (load<u64>(bytes) << 1) ^ load<u64>(bytes + 8)) * 0x9e3779b97f4a7c15;
  let slot = <u32>(mixed >> 51);
  let entry: usize = 0;
  for (;;) {
    entry = KNOWN + (<usize>slot) * SLOT_BYTES;
    const at = load<u32>(entry);
    if (at == 0) break;
    if (load<u32>(entry, 4) == <u32>length && isSame(at, bytes, length)) return <usize>load<u32>(entry, 8);
    slot = (slot + 1) & (SLOTS - 1);
  }
  if (hashes == hashesEnd) {
    hashes = allocate(CHUNK_BYTES);
    hashesEnd = hashes + CHUNK_BYTES;
  }
  const hash = hashes;
  hashes += HASH_BYTES;
  hashLater(bytes, length, hash);
  if (known == FULL) {
    memory.fill(KNOWN, 0, <usize>SLOTS * SLOT_BYTES);
    known = 0;
    return hash;
  }
  known++;
  store<u32>(entry, <u32>bytes);
  store<u32>(entry, <u32>length, 4);
  store<u32>(entry, <u32>hash, 8);
  return hash;
}

@inline
function isSame(a: usize, b: usize, length: usize): bool {
  let differs = (load<u64>(a) ^ load<u64>(b)) | (load<u64>(a, 8) ^ load<u64>(b, 8));
  if (length == 20) differs |= <u64>(load<u32>(a, 16) ^ load<u32>(b, 16));
  else differs |= (load<u64>(a, 16) ^ load<u64>(b, 16)) | (load<u64>(a, 24) ^ load<u64>(b, 24));
  return differs == 0;
}

/** Adds what has that hash to a bloom: three of its 2048 bits (yellow paper, section 4.3.1). */
@inline
export function addToBloom(bloom: usize, hash: usize): void {
  setBit(bloom, bswap<u16>(load<u16>(hash)));
  setBit(bloom, bswap<u16>(load<u16>(hash, 2)));
  setBit(bloom, bswap<u16>(load<u16>(hash, 4)));
}

@inline
function setBit(bloom: usize, number: u16): void {
  const bit = <usize>(number & 2047);
  const at = bloom + 255 - (bit >> 3);
  store<u8>(at, load<u8>(at) | ((<u8>1) << (<u8>(bit & 7))));
}

/** Adds all bits of a bloom to another. */
export function mergeBloom(into: usize, bloom: usize): void {
  for (let i: usize = 0; i < BLOOM_BYTES; i += 16) v128.store(into + i, v128.or(v128.load(into + i), v128.load(bloom + i)));
}
