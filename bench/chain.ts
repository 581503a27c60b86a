import { chainEthereum } from "./chain-ethereum.ts";
import { chainSolana } from "./chain-solana.ts";
import { chainSource } from "./chain-source.ts";
import type { Bench, Measured } from "./harness.ts";

/** The parts in the order of their numbers. */
const PARTS: readonly Bench[] = [chainEthereum, chainSolana, chainSource];

/** Blocks of real chains, from JSON on disk to verified tables, against bare `JSON.parse` and other people's verification. */
export async function chain(rounds: number, tell: (line: string) => void): Promise<Measured> {
  const parts: Measured[] = [];
  for (const part of PARTS) parts.push(await part(rounds, tell));
  return {
    metrics: Object.assign({}, ...parts.map(({ metrics }) => metrics)),
    notes: Object.assign({}, ...parts.map(({ notes }) => notes)),
  };
}
