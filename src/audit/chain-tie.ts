import type { ReceiptConfig } from "../../proofs/receipt/root.ts";
import type { ChainAnchor } from "../consensus/chain-anchor.ts";

/** What a hash that was known beforehand shows of a chain's blocks, and what not, in sentences. */
export interface ChainTie {
  readonly proved: string | undefined;
  readonly open: string | undefined;
}

/**
 * Which blocks of an input are those of the chain, once a block's hash is known: of Ethereum, whose headers name their parents, the known
 * block and all before it; of others that one alone. That blocks came to stand behind a known one shows nothing: anyone can make such.
 */
export function chainTie(
  name: string,
  { kind, from, to: last }: ChainAnchor,
  known: NonNullable<ReceiptConfig["anchored"]>[string] | undefined,
): ChainTie {
  const to = last ?? from;
  if (known === undefined)
    return {
      proved: undefined,
      open: `that these blocks of ${name} are those of the chain: no block's hash was known beforehand`,
    };
  const { block } = known;
  if (kind !== "ethereum") {
    const others =
      from === to && block === from
        ? undefined
        : `that the blocks of ${name} other than ${block} are those of the chain`;
    return { proved: undefined, open: others };
  }
  const proved =
    block < from
      ? `block ${from} of ${name} is a child of that block`
      : `${blocksText(from, block)} of ${name} ${from === block ? "is that block" : "are that block and those before it"}`;
  const open =
    block >= to
      ? undefined
      : `that ${blocksText(Math.max(from, block + 1), to)} of ${name}, behind the known one, ${to - block === 1 ? "is" : "are"} of the chain`;
  return { proved, open };
}

function blocksText(from: number, to: number): string {
  return from === to ? `block ${from}` : `blocks ${from} to ${to}`;
}
