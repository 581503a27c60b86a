import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Compiles a C file to a WASI command; the command line is the one of examples/wasi-c/README.md, and what is given beside. */
export async function compileC(source: string, output: string, options: readonly string[] = []): Promise<void> {
  await run("clang", ["--target=wasm32-wasi", "-O2", "-s", ...options, "-o", output, source]);
}

/**
 * Whether clang can compile for WASI here: Debian's packages clang, lld, wasi-libc and libclang-rt-14-dev-wasm32. Where
 * `IPDM_NEEDS_CLANG` is set, as in .ci/run, its absence is an error, so that nothing is skipped unseen.
 */
export async function hasClang(): Promise<boolean> {
  const dir = await mkdtemp(join(tmpdir(), "ipdm-clang-"));
  try {
    await writeFile(join(dir, "empty.c"), '#include <stdio.h>\nint main(void) { return puts("") < 0; }\n');
    await compileC(join(dir, "empty.c"), join(dir, "empty.wasm"));
    return true;
  } catch (error) {
    if (process.env["IPDM_NEEDS_CLANG"] !== undefined) throw error;
    return false;
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}
