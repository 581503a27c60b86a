import { appendFileSync } from "node:fs";
import { isMainThread } from "node:worker_threads";

// Loaded before a program that is measured: collects garbage twice a second and writes down the bytes of heap that are live.
const file = process.env["IPDM_BENCH_LIVE"];
if (isMainThread && file !== undefined) {
  const timer = setInterval(() => {
    globalThis.gc?.();
    appendFileSync(file, `${process.memoryUsage().heapUsed}\n`);
  }, 500);
  timer.unref();
}
