import { base58btc } from "multiformats/bases/base58";
import type { ReceiptConfig } from "../../proofs/receipt/root.ts";
import type { Anchor } from "../consensus/result.ts";
import { toHex } from "../core/bytes.ts";
import { generatedText } from "../sources/generated/kind.ts";
import { counted } from "./counted.ts";

/** What a receipt says of an input, as people read it. */
export function inputText(rows: number, anchor: Anchor | undefined): string {
  if (anchor === undefined) return counted(rows, "row");
  if (anchor.kind === "file") return `${counted(rows, "row")} of the file with SHA-256 ${toHex(anchor.sha256)}`;
  if (anchor.kind === "generated") return `${counted(rows, "row")}, generated: ${generatedText(anchor)}`;
  const { kind, chain, from, to, root } = anchor;
  const which = chain === null ? kind : `${kind} (chain ${chain})`;
  return `${which} blocks ${from} to ${to ?? "?"}, Merkle root of their hashes ${root === null ? "?" : toHex(root)}`;
}

/** What ties a chain input to a block hash that was known beforehand, as people read it. */
export function anchoredText(
  kind: Anchor["kind"],
  anchored: NonNullable<ReceiptConfig["anchored"]>[string] | undefined,
): string {
  if (anchored === undefined)
    return "none: compare one of the block hashes with a source of your own, or run with a trusted one";
  const { block, hash, by, endpoints } = anchored;
  const known = by === "given" ? "was given as trusted" : `is the same at ${endpoints} endpoints`;
  return `block ${block} has the hash ${kind === "solana" ? base58btc.baseEncode(hash) : `0x${toHex(hash)}`}, which ${known}`;
}
