import type { CID } from "multiformats/cid";
import type { Ipld } from "../../src/dag/block.ts";
import type { MemorySource, SavedMemory } from "../../src/sandbox/state/memory-tree.ts";
import { type WatParts, watSource } from "./wat-module.ts";

/** Address of the counter in the modules of {@link countingParts}, behind what they have in the first page. */
export const COUNTER = 8192;

/**
 * A module that keeps a sum in memory and the number of calls in globals of every type, and writes the sum over the values of
 * its first column, an `i32`. A value of -1 traps after the sum was changed; one of -2 grows the memory by a page and marks it, one of -3 only grows it.
 */
export function countingParts(parts: WatParts = {}): WatParts {
  return {
    memory: '(memory (export "memory") 1)',
    alloc: `(local $at i32)
      (local.set $at (global.get $next))
      (global.set $next (i32.add (global.get $next) (i32.and (i32.add (local.get $bytes) (i32.const 63)) (i32.const -64))))
      (local.get $at)`,
    process: `(local $i i32) (local $at i32) (local $value i32)
      (local.set $at (i32.add (local.get $batch) (i32.load offset=${64 + 32} (local.get $batch))))
      (block $done (loop $rows
        (br_if $done (i32.ge_u (local.get $i) (i32.load offset=12 (local.get $batch))))
        (local.set $value (i32.load (local.get $at)))
        (i32.store (i32.const ${COUNTER}) (i32.add (i32.load (i32.const ${COUNTER})) (local.get $value)))
        (global.set $calls32 (i32.add (global.get $calls32) (i32.const 1)))
        (global.set $calls64 (i64.sub (global.get $calls64) (i64.const 1)))
        (global.set $single (f32.add (global.get $single) (f32.const 0.5)))
        (if (i32.eq (local.get $value) (i32.const -1)) (then unreachable))
        (if (i32.eq (local.get $value) (i32.const -3)) (then (drop (memory.grow (i32.const 1)))))
        (if (i32.eq (local.get $value) (i32.const -2)) (then
          (if (i32.lt_s (memory.grow (i32.const 1)) (i32.const 0)) (then unreachable))
          (i32.store (i32.sub (i32.shl (memory.size) (i32.const 16)) (i32.const 4)) (memory.size))))
        (i32.store (local.get $at) (i32.load (i32.const ${COUNTER})))
        (local.set $at (i32.add (local.get $at) (i32.const 4)))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $rows)))
      (local.get $batch)`,
    fields: `
      (global $next (mut i32) (i32.const 16384))
      (global $calls32 (mut i32) (i32.const -7))
      (global $calls64 (mut i64) (i64.const 9007199254740993))
      (global $single (mut f32) (f32.const 0))
      (global $double (mut f64) (f64.const nan:0x123))
      (global $quiet (mut f32) (f32.const nan:0x1))
      (data (i32.const ${COUNTER}) "\\05\\00\\00\\00")
      (func (export "ipdm_end")
        (memory.fill (i32.const 16384) (i32.const 0) (i32.sub (global.get $next) (i32.const 16384)))
        (global.set $next (i32.const 16384)))`,
    ...parts,
  };
}

/** Text of {@link countingParts}. */
export function countingSource(parts: WatParts = {}): string {
  return watSource(countingParts(parts));
}

/** Keeps the blocks of saved states as a store would. */
export class SavedMemories {
  readonly blocks = new Map<string, Uint8Array>();

  /** Keeps what was saved, and gives what a session is opened from. */
  keep({ state, fresh }: SavedMemory): MemorySource | null {
    for (const { cid, bytes } of fresh) this.blocks.set(cid.toString(), bytes);
    return state === null ? null : { state: state as unknown as Ipld, read: (cid) => this.read(cid) };
  }

  async read(cid: CID): Promise<Uint8Array> {
    const bytes = this.blocks.get(cid.toString());
    if (bytes === undefined) throw new Error(`no block ${cid.toString()}`);
    return bytes;
  }
}
