import { PAGE_BYTES } from "../limits.ts";
import { Stop } from "../stop.ts";

/** Blocks begin at multiples of this, and take up that many bytes more than they hold, as the kernel's do for their heads. */
const ALIGNMENT = 16;
const FIRST = 64;
/** Blocks that a space may hold: what it knows of each is memory of the node. */
export const BLOCKS_MAX = 1_048_576;

/**
 * The memory that an Extism plugin shares with its host: blocks in one linear space of its own, addressed by 64-bit numbers; 0 is
 * no address. As in the Extism kernel any address inside the space can be read and written, whatever block it lies in; unlike
 * there an address outside stops the call, and what the space knows of its blocks lies outside of the plugin's reach. It grows
 * by pages of 64 KiB up to a cap.
 */
export class ExtismSpace {
  private readonly bytesMax: number;
  private bytes = new Uint8Array(PAGE_BYTES);
  private view = new DataView(this.bytes.buffer);
  /** Bytes that exist for the plugin: whole pages. */
  private limit = PAGE_BYTES;
  private top = FIRST;
  /** Where bytes that are not zero may end. */
  private written = FIRST;
  private blocks = 0;
  /** Bytes in use, by address. */
  private readonly active = new Map<number, number>();
  /** Addresses of freed blocks, by what they can hold. */
  private readonly free = new Map<number, number[]>();

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax;
  }

  /** Forgets all blocks: every byte is zero, and the space as small as at first. */
  reset(): void {
    this.bytes.fill(0, 0, this.written);
    this.limit = PAGE_BYTES;
    this.top = FIRST;
    this.written = FIRST;
    this.blocks = 0;
    this.active.clear();
    if (this.free.size > 0) this.free.clear();
  }

  /** Address of a new block; 0 for a size of 0 and where there is no room. A freed block of about that size is used again. */
  alloc(size: bigint): number {
    if (size <= 0n || size > BigInt(this.bytesMax)) return 0; // i64 as it comes: beyond 2^63 it is negative
    const used = Number(size);
    const room = Math.ceil(used / ALIGNMENT) * ALIGNMENT;
    const again = this.free.get(room)?.pop();
    if (again !== undefined) {
      this.active.set(again, used);
      return again;
    }
    const end = this.top + ALIGNMENT + room;
    if (end > this.bytesMax || this.blocks === BLOCKS_MAX) return 0;
    const address = this.top + ALIGNMENT;
    this.grow(end);
    this.top = end;
    this.blocks++;
    this.active.set(address, used);
    return address;
  }

  /** Frees a block; an address that is none is passed over. */
  release(address: bigint): void {
    const at = Number(address);
    const used = this.active.get(at);
    if (used === undefined) return;
    this.active.delete(at);
    const room = Math.ceil(used / ALIGNMENT) * ALIGNMENT;
    const list = this.free.get(room);
    if (list === undefined) this.free.set(room, [at]);
    else list.push(at);
  }

  /** Bytes of the block at an address; 0 where none begins there. */
  length(address: bigint): number {
    return this.active.get(Number(address)) ?? 0;
  }

  /** A block with these bytes. Throws a {@link Stop} where there is no room. */
  put(bytes: Uint8Array): number {
    if (bytes.length === 0) return 0;
    const address = this.alloc(BigInt(bytes.length));
    if (address === 0)
      throw new Stop("memory", `there is no room for ${bytes.length} bytes beside what the plugin has allocated`);
    this.bytes.set(bytes, address);
    this.wrote(address + bytes.length);
    return address;
  }

  /** The bytes of a block that a function was given. A view. Throws a {@link Stop} where no block begins. */
  block(address: bigint, what: string): Uint8Array {
    const used = this.active.get(Number(address));
    if (used === undefined) throw new Stop("trap", `${what} was given ${asAddress(address)}, where no block begins`);
    return this.bytes.subarray(Number(address), Number(address) + used);
  }

  /** Bytes anywhere in the space. A view. Throws a {@link Stop} outside of it. */
  range(address: bigint, length: bigint, what: string): Uint8Array<ArrayBuffer> {
    const start = this.at(address, Number(BigInt.asUintN(64, length)), what);
    return this.bytes.subarray(start, start + Number(length));
  }

  loadU8(address: bigint): number {
    return this.bytes[this.at(address, 1, "load_u8")] as number;
  }

  loadU64(address: bigint): bigint {
    return this.view.getBigUint64(this.at(address, 8, "load_u64"), true);
  }

  storeU8(address: bigint, value: number): void {
    const at = this.at(address, 1, "store_u8");
    this.bytes[at] = value;
    this.wrote(at + 1);
  }

  storeU64(address: bigint, value: bigint): void {
    const at = this.at(address, 8, "store_u64");
    this.view.setBigUint64(at, value, true);
    this.wrote(at + 8);
  }

  private at(address: bigint, length: number, what: string): number {
    const at = Number(address);
    if (at <= 0 || at + length > this.limit)
      throw new Stop("trap", `${what} was given ${length} bytes at ${asAddress(address)}, outside the plugin's blocks`);
    return at;
  }

  private wrote(end: number): void {
    if (end > this.written) this.written = end;
  }

  private grow(end: number): void {
    if (end > this.limit) this.limit = Math.ceil(end / PAGE_BYTES) * PAGE_BYTES;
    if (this.limit <= this.bytes.length) return;
    const larger = new Uint8Array(Math.max(this.limit, Math.min(2 * this.bytes.length, this.bytesMax)));
    larger.set(this.bytes.subarray(0, this.written));
    this.bytes = larger;
    this.view = new DataView(larger.buffer);
  }
}

function asAddress(address: bigint): string {
  return BigInt.asUintN(64, address).toString();
}
