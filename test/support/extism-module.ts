import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { watBytes } from "./wat-module.ts";

const IMPORTS = `
  (import "extism:host/env" "alloc" (func $alloc (param i64) (result i64)))
  (import "extism:host/env" "free" (func $free (param i64)))
  (import "extism:host/env" "length" (func $length (param i64) (result i64)))
  (import "extism:host/env" "length_unsafe" (func $length_unsafe (param i64) (result i64)))
  (import "extism:host/env" "load_u8" (func $load_u8 (param i64) (result i32)))
  (import "extism:host/env" "load_u64" (func $load_u64 (param i64) (result i64)))
  (import "extism:host/env" "store_u8" (func $store_u8 (param i64 i32)))
  (import "extism:host/env" "store_u64" (func $store_u64 (param i64 i64)))
  (import "extism:host/env" "input_offset" (func $input_offset (result i64)))
  (import "extism:host/env" "input_length" (func $input_length (result i64)))
  (import "extism:host/env" "input_load_u8" (func $input_load_u8 (param i64) (result i32)))
  (import "extism:host/env" "input_load_u64" (func $input_load_u64 (param i64) (result i64)))
  (import "extism:host/env" "output_set" (func $output_set (param i64 i64)))
  (import "extism:host/env" "error_set" (func $error_set (param i64)))
  (import "extism:host/env" "config_get" (func $config_get (param i64) (result i64)))
  (import "extism:host/env" "var_get" (func $var_get (param i64) (result i64)))
  (import "extism:host/env" "var_set" (func $var_set (param i64 i64)))
  (import "extism:host/env" "http_request" (func $http_request (param i64 i64) (result i64)))
  (import "extism:host/env" "http_status_code" (func $http_status_code (result i32)))
  (import "extism:host/env" "http_headers" (func $http_headers (result i64)))
  (import "extism:host/env" "get_log_level" (func $get_log_level (result i32)))`;

/** Parts of a plugin that a test bends. */
export interface PluginParts {
  /** Fields beside the function. */
  readonly fields?: string;
  readonly imports?: string;
  /** Body of the function that is called for a row. */
  readonly body: string;
}

/**
 * A plugin with every import but those that need a capability. `$text` makes a block of a text in its own memory (address and
 * bytes), `$say` makes it the output; the function ends with code 0.
 */
export function pluginBytes({ fields = "", imports = "", body }: PluginParts): Promise<Uint8Array> {
  return watBytes(`(module ${IMPORTS} ${imports}
    (memory (export "memory") 1)
    (func $text (param $at i32) (param $bytes i32) (result i64)
      (local $to i64) (local $i i32)
      (local.set $to (call $alloc (i64.extend_i32_u (local.get $bytes))))
      (block $done (loop $next
        (br_if $done (i32.ge_u (local.get $i) (local.get $bytes)))
        (call $store_u8 (i64.add (local.get $to) (i64.extend_i32_u (local.get $i)))
          (i32.load8_u (i32.add (local.get $at) (local.get $i))))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $next)))
      (local.get $to))
    (func $say (param $at i32) (param $bytes i32)
      (call $output_set (call $text (local.get $at) (local.get $bytes)) (i64.extend_i32_u (local.get $bytes))))
    (func $echo (call $output_set (call $input_offset) (call $input_length)))
    ${fields}
    (func (export "row") (result i32) (local $a i64) (local $b i64) (local $i i32) ${body} (i32.const 0)))`);
}

/** A data segment with a text, at an address of the plugin's memory. */
export function dataAt(address: number, text: string): string {
  const escaped = [...new TextEncoder().encode(text)].map((byte) => `\\${byte.toString(16).padStart(2, "0")}`).join("");
  return `(data (i32.const ${address}) "${escaped}")`;
}

/**
 * The plugin that the published PDK for AssemblyScript has for its example (npm `@extism/as-pdk`), compiled as its package says,
 * or another source over that PDK.
 */
export async function asPlugin(source?: string): Promise<Uint8Array> {
  const { default: asc } = await import("assemblyscript/asc");
  const root = fileURLToPath(new URL("../../node_modules/@extism/as-pdk", import.meta.url));
  let binary: Uint8Array | undefined;
  const { error, stderr } = await asc.main(
    ["example.ts", "--outFile", "example.wasm", "--baseDir", root, "--use", "abort=example/myAbort"],
    {
      readFile: async (name, base) =>
        name === "example.ts" && source !== undefined
          ? source
          : await readFile(join(base, name), "utf8").catch(() => null),
      writeFile: (_name, contents) => {
        if (typeof contents !== "string") binary = Uint8Array.from(contents);
      },
      listFiles: () => [],
    },
  );
  if (binary === undefined) throw new Error(`the plugin does not compile: ${stderr.toString()}`, { cause: error });
  return binary;
}
