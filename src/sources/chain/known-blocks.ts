import { isDeepStrictEqual } from "node:util";
import type { BlockIndex } from "./block-index.ts";
import type { ChainSpec } from "./kind.ts";
import { areUnchanged } from "./places.ts";

/**
 * The blocks of one chain source as they were found last, so that those who open it again in one process (to plan a run, as each of its
 * nodes) need not look through all files again. Files that were added, replaced or written since are: by names, sizes and times.
 */
export class KnownBlocks {
  private known: { readonly spec: ChainSpec; readonly index: BlockIndex } | undefined;

  /** What is known of the source, or what `find` finds. */
  async of(spec: ChainSpec, find: () => Promise<BlockIndex>): Promise<BlockIndex> {
    const { known } = this;
    if (
      known !== undefined &&
      isDeepStrictEqual(known.spec, spec) &&
      (await areUnchanged(spec.places, known.index.files))
    )
      return known.index;
    const index = await find();
    this.known = { spec, index };
    return index;
  }
}
