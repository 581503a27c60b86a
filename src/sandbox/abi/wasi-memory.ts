import { Stop } from "../stop.ts";
import type { AbiHost } from "./port.ts";

/** Buffers of one `fd_read` or `fd_write`; more are refused with `EINVAL`, as POSIX lets a system do (IOV_MAX). */
export const IOVECS_MAX = 1024;
/** Bytes of an `iovec`: address u32, length u32 (little-endian, as everything here). */
export const IOVEC_BYTES = 8;

/** A program's memory as WASI functions see it: every access is checked, one outside of the memory ends the call as a trap. */
export class WasiMemory {
  private readonly host: AbiHost;
  private bytes = new Uint8Array(0);
  private words = new DataView(this.bytes.buffer);

  constructor(host: AbiHost) {
    this.host = host;
  }

  /** Bytes at an address; addresses and lengths are unsigned whatever their sign here. */
  range(address: number, length: number): Uint8Array {
    const at = this.check(address, length);
    return this.bytes.subarray(at, at + (length >>> 0));
  }

  /** A view of so many bytes at an address. */
  view(address: number, length: number): DataView {
    return new DataView(this.words.buffer, this.check(address, length), length >>> 0);
  }

  u32(address: number, value: number): void {
    const at = this.check(address, 4);
    this.words.setUint32(at, value, true);
  }

  u64(address: number, value: bigint): void {
    const at = this.check(address, 8);
    this.words.setBigUint64(at, value, true);
  }

  /** The buffers that `count` iovecs at an address name. */
  buffers(address: number, count: number): Uint8Array[] {
    const from = this.check(address, IOVEC_BYTES * count);
    const buffers: Uint8Array[] = [];
    for (let at = from; at < from + IOVEC_BYTES * count; at += IOVEC_BYTES)
      buffers.push(this.range(this.words.getUint32(at, true), this.words.getUint32(at + 4, true)));
    return buffers;
  }

  /** The address, where that many bytes are inside the memory as it is now. Growth makes another buffer of it. */
  private check(address: number, length: number): number {
    const { buffer } = this.host.memory;
    if (buffer !== this.bytes.buffer) {
      this.bytes = new Uint8Array(buffer);
      this.words = new DataView(buffer);
    }
    const at = address >>> 0;
    const bytes = length >>> 0;
    if (at + bytes > this.bytes.length)
      throw new Stop("trap", `a WASI function was given ${bytes} bytes at ${at}, outside the memory`);
    return at;
  }
}
