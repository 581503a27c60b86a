import type { RunNotice } from "./options.ts";

/** The line that `ipdm:ethereum` writes of the blocks of a call (src/modules/ethereum/unchecked.ts). */
const LINE = /^withdrawals of (\d+) blocks from (\d+) to (\d+) are not in the JSON/;

interface Span {
  readonly blocks: number;
  readonly last: number;
}

/**
 * Blocks that were verified in full but for their withdrawals, which their JSON does not list, by task: what the modules of one node wrote
 * to the log. Blocks that another run has done are not among them; the table of blocks tells it of each.
 */
export class UncheckedBlocks {
  /** By task, and by the first block. */
  private readonly spans = new Map<string, Map<number, Span>>();

  /** Takes note of a line that the module of a task wrote. */
  wrote(task: string, line: string): void {
    const [, blocks, first, last] = (LINE.exec(line) ?? []).map(Number);
    if (blocks === undefined || first === undefined || last === undefined) return;
    const known = this.spans.get(task) ?? new Map<number, Span>();
    this.spans.set(task, known.set(first, { blocks, last }));
  }

  /** A notice a task. */
  notices(): readonly RunNotice[] {
    return [...this.spans].map(([task, spans]) => {
      // Calls that are made again may cut their blocks elsewhere: what was counted is not counted again.
      const sorted = [...spans].sort(([a], [b]) => a - b);
      const first = sorted[0]?.[0] ?? 0;
      let [blocks, last] = [0, first - 1];
      for (const [from, span] of sorted) {
        blocks += Math.max(0, span.blocks - Math.max(0, last - from + 1));
        last = Math.max(last, span.last);
      }
      const counted = `${blocks} block${blocks === 1 ? "" : "s"} from ${first} to ${last}`;
      return {
        level: "warn",
        code: "ETH_WITHDRAWALS_UNCHECKED",
        message: `${task}: the JSON of ${counted} lists no withdrawals, so these were not checked`,
        facts: { task, blocks, first, last },
      };
    });
  }
}
