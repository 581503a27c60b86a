import { WASI_FUNCTIONS } from "../../src/sandbox/host/wasi-table.ts";
import { watBytes } from "./wat-module.ts";

/** A WASI program as WebAssembly text: functions it imports, by name, and the body of `_start`. */
export interface WasiParts {
  readonly imports?: readonly string[];
  readonly start?: string;
  /** Fields beside `_start`: data, a start function. */
  readonly fields?: string;
}

/** Compiles a program. The functions it imports are called `$fd_read` and so on. */
export function wasiProgram({ imports = [], start = "", fields = "" }: WasiParts): Promise<Uint8Array> {
  const imported = imports.map((name) => {
    const signature = WASI_FUNCTIONS[`wasi_snapshot_preview1.${name}`]?.signature ?? "()->()";
    const [params = "", results = ""] = signature
      .split("->")
      .map((list) => list.replace("()", "").replaceAll(/[(),]/g, " "));
    return `(import "wasi_snapshot_preview1" "${name}" (func $${name} (param ${params}) (result ${results})))`;
  });
  return watBytes(`(module ${imported.join("\n")} (memory (export "memory") 2)
    (func $start (export "_start") (local $n i32) ${start}) ${fields})`);
}

/** Copies standard input to a file, 8000 bytes at a time. */
export function copyTo(fd: number): WasiParts {
  return {
    imports: ["fd_read", "fd_write"],
    start: `(loop $more
      (i32.store (i32.const 0) (i32.const 1024)) (i32.store (i32.const 4) (i32.const 8000))
      (drop (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
      (i32.store (i32.const 4) (i32.load (i32.const 8)))
      (if (i32.load (i32.const 8)) (then
        (drop (call $fd_write (i32.const ${fd}) (i32.const 0) (i32.const 1) (i32.const 12)))
        (br $more))))`,
  };
}

/** Writes a text to a file, and does then what `then` says. */
export function say(fd: number, text: string, then = ""): WasiParts {
  const bytes = new TextEncoder().encode(text);
  const data = Array.from(bytes, (byte) => `\\${byte.toString(16).padStart(2, "0")}`).join("");
  return {
    imports: ["fd_write", "proc_exit"],
    fields: `(data (i32.const 0) "\\00\\04\\00\\00") (data (i32.const 1024) "${data}")`,
    start: `(i32.store (i32.const 4) (i32.const ${bytes.length}))
      (drop (call $fd_write (i32.const ${fd}) (i32.const 0) (i32.const 1) (i32.const 12))) ${then}`,
  };
}

/** Ends with 100 and what a function answers. */
export function answerOf(name: string, args: readonly string[]): WasiParts {
  return {
    imports: [name, "proc_exit"],
    start: `(call $proc_exit (i32.add (i32.const 100) (call $${name} ${args.map((arg) => `(${arg})`).join(" ")})))`,
  };
}
