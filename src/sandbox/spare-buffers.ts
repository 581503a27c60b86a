import { IN_FLIGHT_BYTES_MAX } from "./limits.ts";

/** Sizes of buffers are multiples of it, so that one fits many batches. */
const STEP_BYTES = 256 * 1024;

/**
 * Buffers that a lane's thread has read the batches of its calls from: the next ones go in them. A fresh buffer for each would cost more than
 * the copy into it, since its pages are made as they are touched, and leave the process's memory in pieces. They are shared with the thread:
 * to move them there and back would make the garbage collector take them for new ones.
 */
export class SpareBuffers {
  private readonly buffers: SharedArrayBuffer[] = [];
  private bytes = 0;

  /** A buffer that holds so many bytes, with whatever is in it. */
  take(sizeBytes: number): SharedArrayBuffer {
    const at = this.buffers.findIndex(({ byteLength }) => byteLength >= sizeBytes);
    const [found] = at < 0 ? [] : this.buffers.splice(at, 1);
    if (found === undefined) return new SharedArrayBuffer(Math.ceil(sizeBytes / STEP_BYTES) * STEP_BYTES);
    this.bytes -= found.byteLength;
    return found;
  }

  /** Takes a buffer back that nobody reads any more; the one that has been here for the longest goes where there are too many. */
  give(buffer: SharedArrayBuffer): void {
    this.buffers.push(buffer);
    this.bytes += buffer.byteLength;
    while (this.bytes > IN_FLIGHT_BYTES_MAX) this.bytes -= this.buffers.shift()?.byteLength ?? 0;
  }
}
