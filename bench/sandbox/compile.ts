import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

/** WebAssembly 1.0 and nothing later, so that every metering can read it. */
const FLAGS = [
  "--target=wasm32",
  "-mcpu=mvp",
  "-O2",
  "-ffp-contract=off",
  "-fno-builtin",
  "-nostdlib",
  "-Wl,--no-entry",
  "-Wl,--strip-all",
  "-Wl,-z,stack-size=16384",
];

/** Compiles a C file of this folder that needs no library. Throws an error that says what to install where clang is missing. */
export function compileC(file: string): Promise<Uint8Array<ArrayBuffer>> {
  return compiled([...FLAGS, join(import.meta.dirname, file)]);
}

/** Compiles a C program for WASI. Throws an error that says what to install where clang or its libraries are missing. */
export function compileWasi(path: string): Promise<Uint8Array<ArrayBuffer>> {
  return compiled(["--target=wasm32-wasi", "-O2", "-s", path]);
}

async function compiled(args: readonly string[]): Promise<Uint8Array<ArrayBuffer>> {
  const folder = await mkdtemp(join(tmpdir(), "ipdm-bench-c-"));
  try {
    const output = join(folder, "out.wasm");
    await promisify(execFile)("clang", [...args, "-o", output]);
    return new Uint8Array(await readFile(output));
  } catch (cause) {
    const { message } = cause as Error;
    throw new Error(
      `the programs are compiled with clang (Debian: apt-get install clang lld wasi-libc libclang-rt-14-dev-wasm32): ${message}`,
      { cause },
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
