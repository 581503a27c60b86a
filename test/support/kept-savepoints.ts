import type { CID } from "multiformats/cid";
import { sha256 } from "../../src/node.ts";
import { Checkpointer, openSavepoint, type SavedPlaces } from "../../src/streams/index.ts";

/** The savepoints of one run of a pipeline, in memory, each with how much had come out of it. */
export class KeptSavepoints {
  readonly checkpoints: Checkpointer;
  readonly saved: { readonly root: CID; readonly done: number }[] = [];
  private readonly blocks = new Map<string, Uint8Array>();

  constructor(done: () => number, options: { readonly everyBatches?: number } = {}) {
    this.checkpoints = new Checkpointer({
      ...options,
      hash: sha256,
      store: {
        put: (cid, bytes) => void this.blocks.set(cid.toString(), bytes),
        get: (cid) => this.blocks.get(cid.toString()) as Uint8Array,
      },
      stored: (_, root) => void this.saved.push({ root, done: done() }),
    });
  }

  open(root: CID): Promise<SavedPlaces> {
    return openSavepoint(root, sha256, async (cid) => this.blocks.get(cid.toString()) as Uint8Array);
  }
}
