import { keccak256 } from "./keccak";

/** Bytes of a logs bloom. */
export const BLOOM_BYTES: usize = 256;

// What was hashed before: address, length and the three bits of each, by a hash of their bytes. Tokens and topics come again and again.
const SLOTS: u32 = 8192;
const FULL: u32 = 6000;
const SLOT_BYTES: usize = 16;
const KNOWN = memory.data(131072, 16);
const HASH = memory.data(32, 16);
let known: u32 = 0;

/** Adds an address (20 bytes) or topic (32 bytes), which stays where it is, to a bloom: three of its 2048 bits (yellow paper, section 4.3.1). */
export function addToBloom(bloom: usize, bytes: usize, length: usize): void {
  const tail = load<u64>(bytes + length - 8);
  const mixed = (tail ^ (load<u64>(bytes) << 1) ^ load<u64>(bytes + 8)) * 0x9e3779b97f4a7c15;
  let slot = <u32>(mixed >> 51);
  let entry: usize = 0;
  for (;;) {
    entry = KNOWN + (<usize>slot) * SLOT_BYTES;
    const at = load<u32>(entry);
    if (at == 0) break;
    if (load<u32>(entry, 4) == <u32>length && isSame(at, bytes, length)) {
      setBits(bloom, load<u64>(entry, 8));
      return;
    }
    slot = (slot + 1) & (SLOTS - 1);
  }
  keccak256(bytes, length, HASH);
  const bits =
    <u64>(bswap<u16>(load<u16>(HASH)) & 2047) |
    (<u64>(bswap<u16>(load<u16>(HASH, 2)) & 2047) << 16) |
    (<u64>(bswap<u16>(load<u16>(HASH, 4)) & 2047) << 32);
  setBits(bloom, bits);
  if (known == FULL) {
    memory.fill(KNOWN, 0, <usize>SLOTS * SLOT_BYTES);
    known = 0;
    return;
  }
  known++;
  store<u32>(entry, <u32>bytes);
  store<u32>(entry, <u32>length, 4);
  store<u64>(entry, bits, 8);
}

@inline
function isSame(a: usize, b: usize, length: usize): bool {
  let differs = (load<u64>(a) ^ load<u64>(b)) | (load<u64>(a, 8) ^ load<u64>(b, 8));
  if (length == 20) differs |= <u64>(load<u32>(a, 16) ^ load<u32>(b, 16));
  else differs |= (load<u64>(a, 16) ^ load<u64>(b, 16)) | (load<u64>(a, 24) ^ load<u64>(b, 24));
  return differs == 0;
}

@inline
function setBits(bloom: usize, bits: u64): void {
  setBit(bloom, <usize>(bits & 2047));
  setBit(bloom, <usize>((bits >> 16) & 2047));
  setBit(bloom, <usize>(bits >> 32));
}

@inline
function setBit(bloom: usize, bit: usize): void {
  const at = bloom + 255 - (bit >> 3);
  store<u8>(at, load<u8>(at) | ((<u8>1) << (<u8>(bit & 7))));
}

/** Adds all bits of a bloom to another. */
export function mergeBloom(into: usize, bloom: usize): void {
  for (let i: usize = 0; i < BLOOM_BYTES; i += 16) v128.store(into + i, v128.or(v128.load(into + i), v128.load(bloom + i)));
}
