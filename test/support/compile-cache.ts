import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";

/** Gives this run, and all processes and threads of it, one folder of compiled code, which is gone when the run is over. */
export default function compileOnce(): void {
  const folder = mkdtempSync(join(tmpdir(), "ipdm-compiled-"));
  process.env["NODE_COMPILE_CACHE"] = folder;
  // Processes of tests write to it while they end, so it goes as late as can be.
  process.once("exit", () => rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 }));
}
