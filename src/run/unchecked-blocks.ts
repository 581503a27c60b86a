import type { RunNotice } from "./options.ts";

/** The line that `ipdm:ethereum` writes of the blocks of a call (src/modules/ethereum/unchecked.ts). */
const LINE = /^withdrawals of (\d+) blocks from (\d+) to (\d+) are not in the JSON/;

interface Span {
  readonly blocks: number;
  readonly first: number;
  readonly last: number;
}

/**
 * Blocks that were verified in full but for their withdrawals, which their JSON does not list, by task: what the modules of one node wrote
 * to the log. Blocks that another run has done are not among them; the table of blocks tells it of each.
 */
export class UncheckedBlocks {
  private readonly spans = new Map<string, Span>();

  /** Takes note of a line that the module of a task wrote. */
  wrote(task: string, line: string): void {
    const [, blocks, first, last] = (LINE.exec(line) ?? []).map(Number);
    if (blocks === undefined || first === undefined || last === undefined) return;
    const known = this.spans.get(task) ?? { blocks: 0, first, last };
    this.spans.set(task, {
      blocks: known.blocks + blocks,
      first: Math.min(known.first, first),
      last: Math.max(known.last, last),
    });
  }

  /** A notice a task. */
  notices(): readonly RunNotice[] {
    return [...this.spans].map(([task, { blocks, first, last }]) => ({
      level: "warn",
      code: "ETH_WITHDRAWALS_UNCHECKED",
      message: `${task}: the JSON of ${blocks} block${blocks === 1 ? "" : "s"} from ${first} to ${last} lists no withdrawals, so these were not checked`,
      facts: { task, blocks, first, last },
    }));
  }
}
