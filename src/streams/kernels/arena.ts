import { type Kernels, loadKernels } from "./kernels.ts";

type Numbers = Float64Array | Int32Array | Uint32Array | Uint8Array;

const PAGE_BYTES = 65_536;
/** Smallest block, and the distance of all of them from each other. */
const BLOCK_BYTES = 64;

/**
 * Where the arrays of one operator lie: in JavaScript at first, from {@link accelerate} on in a memory that the kernels in WebAssembly
 * work on as well. The memory is a shared one, since views over it stay valid when it grows.
 */
export class Arena {
  /** Undefined before {@link accelerate}, and where the module is not there: TypeScript does everything then. */
  kernels: Kernels | undefined;
  private end = BLOCK_BYTES;
  /** Addresses of free blocks, by size: sizes are powers of two. */
  private readonly free = new Map<number, number[]>();

  /** Puts arrays that are made from now on into memory that kernels see; false where there are no kernels. */
  accelerate(): boolean {
    this.kernels ??= loadKernels();
    return this.kernels !== undefined;
  }

  i32(length: number): Int32Array {
    return this.make(Int32Array, length);
  }

  u32(length: number): Uint32Array {
    return this.make(Uint32Array, length);
  }

  f64(length: number): Float64Array {
    return this.make(Float64Array, length);
  }

  u8(length: number): Uint8Array {
    return this.make(Uint8Array, length);
  }

  /** A copy with room for `length` numbers; the new ones are `fill`. The array given is no longer to be used. */
  grown<T extends Numbers>(array: T, length: number, fill = 0): T {
    const larger = this.make(array.constructor as Make<T>, length);
    larger.set(array);
    if (fill !== 0) larger.fill(fill, array.length);
    this.release(array);
    return larger;
  }

  /** Whether kernels can work on an array. */
  holds({ buffer }: Numbers): boolean {
    return this.kernels !== undefined && buffer instanceof SharedArrayBuffer;
  }

  /** Takes an array's memory back. */
  release(array: Numbers): void {
    if (!this.holds(array)) return;
    const size = sizeOf(array.byteLength);
    const blocks = this.free.get(size);
    if (blocks === undefined) this.free.set(size, [array.byteOffset]);
    else blocks.push(array.byteOffset);
  }

  private make<T extends Numbers>(type: Make<T>, length: number): T {
    const { kernels } = this;
    if (kernels === undefined) return new type(length);
    const size = sizeOf(length * type.BYTES_PER_ELEMENT);
    const used = this.free.get(size)?.pop();
    const at = used ?? this.end;
    if (used === undefined) this.end += size;
    const { memory } = kernels;
    const missing = this.end - memory.buffer.byteLength;
    // Twice the room at a time: each growth is a call of the system.
    if (missing > 0) memory.grow(Math.ceil(Math.max(missing, Math.min(this.end, GROWN_MAX)) / PAGE_BYTES));
    const array = new type(memory.buffer, at, length);
    if (used !== undefined) array.fill(0);
    return array;
  }
}

const GROWN_MAX = 64 * 1024 * 1024;

interface Make<T> {
  readonly BYTES_PER_ELEMENT: number;
  new (length: number): T;
  new (buffer: SharedArrayBuffer, at: number, length: number): T;
}

function sizeOf(bytes: number): number {
  let size = BLOCK_BYTES;
  while (size < bytes) size *= 2;
  return size;
}
