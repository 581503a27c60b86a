import { keccak_256 } from "@noble/hashes/sha3.js";
import { encodeHeader, headerSchema } from "../../../proofs/ethereum/encodings.ts";
import { HEADER_BYTES_MAX } from "../../consensus/chain-anchor.ts";
import { toHex } from "../../core/bytes.ts";
import type { Member } from "../chain/json-scan.ts";

const FIELDS: ReadonlySet<string> = new Set(Object.keys(headerSchema.shape));
const QUOTE = 0x22;

/**
 * The RLP of a block's header in hexadecimal, from the members of its JSON; `undefined` where that does not hash to the hash that the
 * block claims (`0x` and lower case), or is longer than {@link HEADER_BYTES_MAX}.
 */
export function headerOf(bytes: Uint8Array, members: readonly Member[], hash: string): string | undefined {
  const fields: Record<string, string> = {};
  for (const { name, value } of members) {
    const field = latin1(bytes, name.from, name.to);
    if (FIELDS.has(field) && bytes[value.from] === QUOTE) fields[field] = latin1(bytes, value.from + 1, value.to - 1);
  }
  const parsed = headerSchema.safeParse(fields);
  if (!parsed.success) return undefined;
  const header = encodeHeader(parsed.data);
  if (header.length > HEADER_BYTES_MAX || `0x${toHex(keccak_256(header))}` !== hash) return undefined;
  return toHex(header);
}

function latin1(bytes: Uint8Array, from: number, to: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString("latin1");
}
