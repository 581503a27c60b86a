import wabt from "wabt";
import { POLICIES } from "../../src/sandbox/policy.ts";
import type { ModuleSpec } from "../../src/sandbox/port.ts";

/** Parts of a module of the ABI that a test bends. */
export interface WatParts {
  readonly memory?: string;
  /** Fields beside the functions. */
  readonly fields?: string;
  readonly abi?: string;
  readonly alloc?: string;
  /** Body of `ipdm_process`; parameters `$batch` and `$descriptor`. */
  readonly process?: string;
}

const BUMP = `(local $at i32) (local $pages i32)
  (local.set $at (global.get $top))
  (global.set $top (i32.add (global.get $top) (i32.and (i32.add (local.get $bytes) (i32.const 63)) (i32.const -64))))
  (local.set $pages (i32.sub (i32.shr_u (i32.add (global.get $top) (i32.const 65535)) (i32.const 16)) (memory.size)))
  (if (i32.gt_s (local.get $pages) (i32.const 0)) (then
    (if (i32.lt_s (memory.grow (local.get $pages)) (i32.const 0)) (then (return (i32.const 0))))))
  (local.get $at)`;

/** A module that gives every batch back as it is, but for the parts given. */
export function watSource(parts: WatParts = {}): string {
  return `(module
    ${parts.memory ?? '(memory (export "memory") 1)'}
    (global $top (mut i32) (i32.const 1024))
    (func $abi (export "ipdm_abi") (result i32) ${parts.abi ?? "(i32.const 1)"})
    (func $alloc (export "ipdm_alloc") (param $bytes i32) (result i32) ${parts.alloc ?? BUMP})
    (func $process (export "ipdm_process") (param $batch i32) (param $descriptor i32) (result i32)
      ${parts.process ?? "(local.get $batch)"})
    ${parts.fields ?? ""})`;
}

/** Compiles WebAssembly text. */
export async function watBytes(source: string, features: Readonly<Record<string, boolean>> = {}): Promise<Uint8Array> {
  const module = (await wabt()).parseWat("test.wat", source, features);
  try {
    return module.toBinary({}).buffer;
  } finally {
    module.destroy();
  }
}

/** A module for a lane, with limits that suit a test. */
export function specOf(bytes: Uint8Array, limits: Partial<ModuleSpec> = {}): ModuleSpec {
  return {
    ...POLICIES.standard,
    bytes,
    cid: "bafytest",
    abi: "ipdm/1",
    memoryBytesMax: 4 * 65_536,
    timeoutMs: 10_000,
    outputBytesMax: 16 * 1024 * 1024,
    kind: "rows",
    columns: null,
    ...limits,
  };
}
