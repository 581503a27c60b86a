import { watBytes, watSource } from "./wat-module.ts";

/** A module of `ipdm/1` that adds a number to the first column (i64, without nulls) of each row, and leaves the others as they are. */
export function addingModule(number: number, fields = ""): Promise<Uint8Array> {
  return watBytes(
    watSource({
      process: `(local $at i32) (local $end i32)
        (local.set $at (i32.add (local.get $batch) (i32.load offset=96 (local.get $batch))))
        (local.set $end (i32.add (local.get $at) (i32.shl (i32.load offset=12 (local.get $batch)) (i32.const 3))))
        (block $done (loop $next
          (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
          (i64.store (local.get $at) (i64.add (i64.load (local.get $at)) (i64.const ${number})))
          (local.set $at (i32.add (local.get $at) (i32.const 8)))
          (br $next)))
        (local.get $batch)`,
      fields,
    }),
  );
}
