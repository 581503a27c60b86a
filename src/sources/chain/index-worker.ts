import { parentPort, workerData } from "node:worker_threads";
import { toRecord } from "../failure.ts";
import { indexBlocks } from "./block-index.ts";
import type { IndexAnswer } from "./index-thread.ts";
import type { ChainSpec } from "./kind.ts";

// A worker's main thread file runs only in a worker; importing it for its types has no effect.
if (parentPort !== null) {
  const port = parentPort;
  void indexBlocks(workerData as ChainSpec).then(
    (index) => port.postMessage({ kind: "index", index } satisfies IndexAnswer),
    (error: unknown) => port.postMessage({ kind: "failed", error: toRecord(error) } satisfies IndexAnswer),
  );
}
