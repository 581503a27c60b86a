import wabt from "wabt";

/**
 * A module of the ABI that gives every batch back as it is. It declares two pages, and more where `bytes` of room are asked for;
 * a runaway loops without end where there are rows.
 */
export async function echoModule(bytes = 0, isRunaway = false): Promise<Uint8Array> {
  const pages = 2 + Math.ceil(bytes / 65_536);
  const process = isRunaway ? "(loop (br_if 0 (i32.load offset=12 (local.get $batch))))" : "";
  const parsed = (await wabt()).parseWat(
    "echo.wat",
    `(module (memory (export "memory") ${pages}) (global $top (mut i32) (i32.const 64))
      (func (export "ipdm_abi") (result i32) (i32.const 1))
      (func (export "ipdm_alloc") (param $bytes i32) (result i32) (local $at i32)
        (local.set $at (global.get $top))
        (global.set $top (i32.add (local.get $at) (i32.and (i32.add (local.get $bytes) (i32.const 63)) (i32.const -64))))
        (local.get $at))
      (func (export "ipdm_process") (param $batch i32) (param $descriptor i32) (result i32) ${process} (local.get $batch)))`,
  );
  try {
    return parsed.toBinary({}).buffer;
  } finally {
    parsed.destroy();
  }
}
