// Memory of a call: a bump allocator that never frees. A call starts with fresh memory, so everything it hands out is zero; in a
// stateful module what lies above `base` is cleared at the end of each call instead.

let base: usize = 0;
let top: usize = 0;

/** Where the memory of calls begins. What the call under way took from there to the end given stays; the rest is free again. */
export function endCall(keptEnd: usize): void {
  const begin = base == 0 ? align64(__heap_base) : base;
  base = max(begin, keptEnd);
  if (top <= base) {
    top = base;
    return;
  }
  memory.fill(base, 0, top - base);
  top = base;
}

/** Where the memory of the call under way begins. */
export function callBase(): usize {
  return base == 0 ? align64(__heap_base) : base;
}

/** The next multiple of 64. */
export function align64(offset: usize): usize {
  return (offset + 63) & ~63;
}

/** Zeroed, 64-byte aligned bytes, or 0 when the memory cannot grow so far. */
export function tryAllocate(bytes: usize): usize {
  // Set here and not by an initialiser, so that the module has no start function.
  if (top == 0) top = align64(__heap_base);
  const address = top;
  const end = <u64>address + <u64>align64(bytes);
  const size = (<u64>memory.size()) << 16;
  if (end > 0xffff_0000) return 0;
  if (end > size) {
    const pages = <i32>((end - size + 0xffff) >> 16);
    // Twice the size at once where it can be had; every growth costs.
    if (memory.grow(max(pages, memory.size())) < 0 && memory.grow(pages) < 0) return 0;
  }
  top = <usize>end;
  return address;
}

/** Zeroed, 64-byte aligned bytes. Traps when the memory cannot grow so far. */
export function allocate(bytes: usize): usize {
  const address = tryAllocate(bytes);
  if (address == 0) unreachable();
  return address;
}
