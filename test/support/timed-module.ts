import { watBytes, watSource } from "./wat-module.ts";

/** A module that writes the event time of its call over every value of the first column (timestamp or i64, without nulls). */
export function timedModule(): Promise<Uint8Array> {
  const batch = "(local.get $batch)";
  return watBytes(
    watSource({
      process: `(local $at i32) (local $end i32)
        (local.set $at (i32.add ${batch} (i32.load offset=96 ${batch})))
        (local.set $end (i32.add (local.get $at) (i32.shl (i32.load offset=12 ${batch}) (i32.const 3))))
        (block $done (loop $next
          (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
          (i64.store (local.get $at) (call $time))
          (local.set $at (i32.add (local.get $at) (i32.const 8)))
          (br $next)))
        ${batch}`,
    }).replace("(module", '(module (import "ipdm" "time" (func $time (result i64)))'),
  );
}
