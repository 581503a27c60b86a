import type { CID } from "multiformats/cid";
import { sha256 } from "../../src/node.ts";
import type { SavedState, StateSource } from "../../src/streams/window/state-tree.ts";

/** Keeps saved states of window operators as a store would: every block once, by its CID. */
export class SavedStates {
  readonly blocks = new Map<string, Uint8Array>();

  /** Keeps a state's blocks; gives the CID of its root. */
  keep({ root, fresh }: SavedState): CID {
    for (const { cid, bytes } of [root, ...fresh]) this.blocks.set(cid.toString(), bytes);
    return root.cid;
  }

  source(root: CID): StateSource {
    return {
      root,
      hash: sha256,
      read: async (cid) => {
        const bytes = this.blocks.get(cid.toString());
        if (bytes === undefined) throw new Error(`no block ${cid.toString()}`);
        return bytes;
      },
    };
  }
}
