import { watBytes, watSource } from "./wat-module.ts";

/** A module of `ipdm/1` that adds a number to the first column (i64, without nulls) of each row, and leaves the others as they are. */
export function addingModule(number: number): Promise<Uint8Array> {
  return watBytes(watSource({ process: adding(`(i64.const ${number})`) }));
}

/** As {@link addingModule}, and it adds the number of the call, counted from 0 in a global: it makes sense as `stateful`. */
export function countingModule(number: number, fields = ""): Promise<Uint8Array> {
  const counted = `(i64.add (i64.const ${number}) (global.get $calls))`;
  const process = adding(counted).replace(
    "(local.get $batch)",
    "(global.set $calls (i64.add (global.get $calls) (i64.const 1))) (global.set $top (i32.const 1024)) (local.get $batch)",
  );
  return watBytes(watSource({ process, fields: `(global $calls (mut i64) (i64.const 0)) ${fields}` }));
}

function adding(number: string): string {
  const batch = "(local.get 0)";
  return `(local $at i32) (local $end i32)
    (local.set $at (i32.add ${batch} (i32.load offset=96 ${batch})))
    (local.set $end (i32.add (local.get $at) (i32.shl (i32.load offset=12 ${batch}) (i32.const 3))))
    (block $done (loop $next
      (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
      (i64.store (local.get $at) (i64.add (i64.load (local.get $at)) ${number}))
      (local.set $at (i32.add (local.get $at) (i32.const 8)))
      (br $next)))
    (local.get $batch)`;
}
