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

/** Compiles a C file of this folder with clang and wasm-ld. Throws an error that says what to install where they are missing. */
export async function compileC(file: string): Promise<Uint8Array<ArrayBuffer>> {
  const folder = await mkdtemp(join(tmpdir(), "ipdm-bench-c-"));
  try {
    const output = join(folder, "out.wasm");
    await promisify(execFile)("clang", [...FLAGS, "-o", output, join(import.meta.dirname, file)]);
    return new Uint8Array(await readFile(output));
  } catch (cause) {
    const { message } = cause as Error;
    throw new Error(
      `the kernels are compiled with clang and wasm-ld (Debian: apt-get install clang lld; macOS: brew install llvm lld): ${message}`,
      { cause },
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
