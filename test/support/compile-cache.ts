import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";

/** Makes the folder of code that threads and commands of this run have compiled; it is gone when the run is over. */
export default function makeFolder(): void {
  const folder = mkdtempSync(join(tmpdir(), "ipdm-compiled-"));
  process.env["IPDM_TEST_COMPILED"] = folder;
  // Commands write to it while they end, so it goes as late as can be.
  process.once("exit", () => rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 }));
}
