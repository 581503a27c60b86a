import { Stop } from "../stop.ts";
import type { AbiHost } from "./port.ts";

/** Buffers of one `fd_read` or `fd_write`; more are refused with `EINVAL`, as POSIX lets a system do (IOV_MAX). */
export const IOVECS_MAX = 1024;
/** Bytes of an `iovec`: address u32, length u32 (little-endian, as everything here). */
export const IOVEC_BYTES = 8;

/** A program's memory as WASI functions see it: every access is checked, one outside of the memory ends the call as a trap. */
export class WasiMemory {
  private readonly host: AbiHost;

  constructor(host: AbiHost) {
    this.host = host;
  }

  /** Bytes at an address; addresses and lengths are unsigned whatever their sign here. */
  range(address: number, length: number): Uint8Array {
    const at = address >>> 0;
    const bytes = length >>> 0;
    const { buffer } = this.host.memory;
    if (at + bytes > buffer.byteLength)
      throw new Stop("trap", `a WASI function was given ${bytes} bytes at ${at}, outside the memory`);
    return new Uint8Array(buffer, at, bytes);
  }

  /** A view of so many bytes at an address. */
  view(address: number, length: number): DataView {
    const { buffer, byteOffset } = this.range(address, length);
    return new DataView(buffer, byteOffset, length);
  }

  u32(address: number, value: number): void {
    this.view(address, 4).setUint32(0, value, true);
  }

  u64(address: number, value: bigint): void {
    this.view(address, 8).setBigUint64(0, value, true);
  }

  /** The buffers that `count` iovecs at an address name. */
  buffers(address: number, count: number): Uint8Array[] {
    const iovecs = this.view(address, IOVEC_BYTES * count);
    const buffers: Uint8Array[] = [];
    for (let at = 0; at < iovecs.byteLength; at += IOVEC_BYTES)
      buffers.push(this.range(iovecs.getUint32(at, true), iovecs.getUint32(at + 4, true)));
    return buffers;
  }
}
