import type { Anchor } from "../consensus/result.ts";

/** What no hash of a chain covers, so that it is attested by those who read it and proved by nothing; `undefined`: nothing to say. */
export function attestedText(kind: Anchor["kind"]): string | undefined {
  if (kind !== "solana") return undefined;
  return "that blocks have all their transactions, fees, errors, balances and inner instructions are the node's word, attested by who read it";
}
