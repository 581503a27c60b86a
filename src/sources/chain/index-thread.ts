import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { IpdmError } from "../../core/errors.ts";
import { bareEnv } from "../../sandbox/bare-env.ts";
import type { ErrorRecord } from "../failure.ts";
import { fromRecord } from "../failure.ts";
import { WORKER_HEAP_MIB_MAX } from "../limits.ts";
import type { BlockIndex } from "./block-index.ts";
import type { ChainSpec } from "./kind.ts";

/** What the thread answers with, once. */
export type IndexAnswer =
  | { readonly kind: "index"; readonly index: BlockIndex }
  | { readonly kind: "failed"; readonly error: ErrorRecord };

/** Finds blocks as `indexBlocks` does, in a thread of its own, so that this one stays free. */
export async function indexInThread(spec: ChainSpec, signal?: AbortSignal): Promise<BlockIndex> {
  signal?.throwIfAborted();
  const entry = new URL(`./index-worker${import.meta.url.endsWith(".ts") ? ".ts" : ".js"}`, import.meta.url);
  const worker = new Worker(entry, {
    workerData: spec,
    env: bareEnv(),
    resourceLimits: { maxOldGenerationSizeMb: WORKER_HEAP_MIB_MAX },
  });
  try {
    const [answer] = (await once(worker, "message", signal === undefined ? {} : { signal })) as [IndexAnswer];
    if (answer.kind === "failed") throw fromRecord(answer.error);
    return answer.index;
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof IpdmError) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw new IpdmError("SOURCE_FAILED", `finding the blocks failed: ${why}`, { cause: error });
  } finally {
    await worker.terminate();
  }
}
