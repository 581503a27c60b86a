import { watBytes } from "./wat-module.ts";

const IMPORTS = `
  (import "redpanda_transform" "check_abi_version_2" (func $check))
  (import "redpanda_transform" "read_batch_header"
    (func $header (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
  (import "redpanda_transform" "read_next_record" (func $read (param i32 i32 i32 i32 i32) (result i32)))
  (import "redpanda_transform" "write_record" (func $write (param i32 i32) (result i32)))
  (import "redpanda_transform" "write_record_with_options" (func $write_to (param i32 i32 i32 i32) (result i32)))`;

/** Where `$begin` has the batch's header put, and `$next` a record's attributes, time, offset and payload. */
export const AT = {
  header: {
    base: 0,
    count: 8,
    epoch: 12,
    attributes: 16,
    delta: 20,
    first: 24,
    last: 32,
    producer: 40,
    producerEpoch: 48,
    sequence: 52,
  },
  record: { attributes: 64, timestamp: 72, offset: 80, payload: 1024 },
} as const;

/**
 * A transform with every import, whose `_start` has the given body. `$begin` reads a header (its result is the largest payload's
 * size), `$next` a record into 60,000 bytes, `$echo` gives back the record that was read last, of `$size` bytes, and `$all` does
 * both for all records of batch after batch.
 */
export function transformBytes(body: string, fields = ""): Promise<Uint8Array> {
  const { header, record } = AT;
  const places = Object.values(header).map((address) => `(i32.const ${address})`);
  return watBytes(`(module ${IMPORTS}
    (memory (export "memory") 1)
    (global $size (mut i32) (i32.const 0))
    (func $begin (result i32) (call $header ${places.join(" ")}))
    (func $next (result i32)
      (global.set $size (call $read (i32.const ${record.attributes}) (i32.const ${record.timestamp}) (i32.const ${record.offset})
        (i32.const ${record.payload}) (i32.const 60000)))
      (global.get $size))
    (func $echo (if (i32.ne (call $write (i32.const ${record.payload}) (global.get $size)) (global.get $size)) (then unreachable)))
    (func $all (local $left i32)
      (loop $batches
        (drop (call $begin))
        (local.set $left (i32.load (i32.const ${header.count})))
        (loop $records
          (drop (call $next))
          (call $echo)
          (local.set $left (i32.sub (local.get $left) (i32.const 1)))
          (br_if $records (local.get $left)))
        (br $batches)))
    ${fields}
    (func (export "_start") (local $i i32) (call $check) ${body}))`);
}

/** WAT that traps unless an i32 expression has a value. */
export function wants(expression: string, value: number): string {
  return `(if (i32.ne ${expression} (i32.const ${value})) (then unreachable))`;
}
