import { decodeVarint } from "../dag/varint.ts";
import { crc32c } from "./crc32c.ts";
import { unpackSnappy } from "./snappy.ts";

// LevelDB's table format (google/leveldb, doc/table_format.md): blocks, each with its kind of compression and a masked CRC-32C after
// it; in the end a footer with the places of two blocks that tell where the others are.
const FOOTER_BYTES = 48;
const MAGIC = Uint8Array.of(0x57, 0xfb, 0x80, 0x8b, 0x24, 0x75, 0x47, 0xdb);
const TRAILER_BYTES = 5;
const SNAPPY = 1;
const MASK_DELTA = 0xa282ead8;

interface Place {
  readonly offset: number;
  readonly size: number;
}

/**
 * Says what is wrong with a table of LevelDB; `undefined` where every byte of every block is as it was written. LevelDB looks at these
 * checksums only on request, and its binding makes none: it may hand out altered values, or abort the process.
 */
export function tableProblem(table: Uint8Array): string | undefined {
  const end = table.length - FOOTER_BYTES;
  if (end < 0) return "it is shorter than a footer";
  if (!MAGIC.every((byte, at) => table[table.length - MAGIC.length + at] === byte)) return "it has no footer";
  const meta = placeAt(table, end);
  const index = meta === undefined ? undefined : placeAt(table, meta.end);
  if (meta === undefined || index === undefined) return "its footer is altered";
  const places: Place[] = [meta.place, index.place];
  for (const { offset, size } of [meta.place, index.place]) {
    const found = placesIn(table, { offset, size });
    if (found === undefined) return `the block at byte ${offset} is altered`;
    places.push(...found);
  }
  let at = 0;
  for (const place of places.sort((a, b) => a.offset - b.offset)) {
    if (place.offset !== at || !isWhole(table, place)) return `the block at byte ${at} is altered`;
    at += place.size + TRAILER_BYTES;
  }
  return at === end ? undefined : `the block at byte ${at} is altered`;
}

/** A masked CRC-32C, as LevelDB stores it beside what it is of. */
export function maskedCrc(crc: number): number {
  return (((crc >>> 15) | (crc << 17)) + MASK_DELTA) >>> 0;
}

function isWhole(table: Uint8Array, { offset, size }: Place): boolean {
  const end = offset + size + 1;
  if (end + 4 > table.length) return false;
  const view = new DataView(table.buffer, table.byteOffset, table.length);
  return view.getUint32(end, true) === maskedCrc(crc32c(table.subarray(offset, end)));
}

/** The places that the values of a block name. */
function placesIn(table: Uint8Array, place: Place): readonly Place[] | undefined {
  if (!isWhole(table, place)) return undefined;
  const end = place.offset + place.size;
  const stored = table.subarray(place.offset, end);
  const block = table[end] === SNAPPY ? unpackSnappy(stored) : stored;
  if (block === undefined || block.length < 4) return undefined;
  const restarts = new DataView(block.buffer, block.byteOffset, block.length).getUint32(block.length - 4, true);
  const entriesEnd = block.length - 4 - 4 * restarts;
  const places: Place[] = [];
  for (let at = 0; at < entriesEnd; ) {
    const shared = decodeVarint(block, at);
    const own = shared === undefined ? undefined : decodeVarint(block, shared.end);
    const size = own === undefined ? undefined : decodeVarint(block, own.end);
    if (own === undefined || size === undefined) return undefined;
    const value = placeAt(block, size.end + own.value);
    if (value === undefined) return undefined;
    places.push(value.place);
    at = size.end + own.value + size.value;
  }
  return places;
}

function placeAt(bytes: Uint8Array, at: number): { readonly place: Place; readonly end: number } | undefined {
  const offset = decodeVarint(bytes, at);
  const size = offset === undefined ? undefined : decodeVarint(bytes, offset.end);
  if (offset === undefined || size === undefined) return undefined;
  return { place: { offset: offset.value, size: size.value }, end: size.end };
}
