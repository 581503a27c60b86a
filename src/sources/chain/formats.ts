import { ETHEREUM } from "../ethereum/format.ts";
import { SOLANA } from "../solana/format.ts";
import type { ChainFormat, ChainKind } from "./kind.ts";

/** What is known of each kind of chain: another one comes in by a line here. */
const FORMATS: Readonly<Record<ChainKind, ChainFormat>> = { ethereum: ETHEREUM, solana: SOLANA };

/** The format of a kind of chain. */
export function chainFormat(kind: ChainKind): ChainFormat {
  return FORMATS[kind];
}
