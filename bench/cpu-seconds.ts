// Preloaded by a measured process: writes the CPU seconds that all its threads took into the file that IPDM_BENCH_CPU names.
import { writeFileSync } from "node:fs";
import { isMainThread } from "node:worker_threads";

const file = process.env["IPDM_BENCH_CPU"];
if (isMainThread && file !== undefined) {
  process.on("exit", () => {
    const { user, system } = process.cpuUsage();
    writeFileSync(file, String((user + system) / 1e6));
  });
}
