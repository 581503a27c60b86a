import type { Block } from "../dag/block.ts";

/** A node that claims something else than it computed. */
export interface Tamper {
  readonly node: string;
  readonly change: (task: string, seq: number, statement: Block) => Block;
}

/** What a test does to a run. */
export interface Trial {
  readonly tampers: readonly Tamper[];
  /** Awaited each time before the submitter looks for newer versions of modules, so that one can be published between two slots. */
  readonly beforeLook: ((task: string) => Promise<void>) | undefined;
}
