import { Buffer } from "node:buffer";
import { keccak_256 } from "@noble/hashes/sha3.js";
import { encodeRlp } from "../../../proofs/ethereum/rlp.ts";
import { HEADER_BYTES_MAX } from "../../consensus/chain-anchor.ts";
import { toHex } from "../../core/bytes.ts";
import type { Member } from "../chain/json-scan.ts";

/** Fields of a header in the order of its RLP: how many there have to be, and those of later forks. */
const FIELDS: readonly string[] = [
  ...["parentHash", "sha3Uncles", "miner", "stateRoot", "transactionsRoot", "receiptsRoot", "logsBloom", "difficulty"],
  ...["number", "gasLimit", "gasUsed", "timestamp", "extraData", "mixHash", "nonce"],
  ...["baseFeePerGas", "withdrawalsRoot", "blobGasUsed", "excessBlobGas", "parentBeaconBlockRoot", "requestsHash"],
];
const FIRST_FORK = 15;
/** Numbers, which RLP writes without leading zeros. */
const NUMBERS: ReadonlySet<string> = new Set([
  ...["difficulty", "number", "gasLimit", "gasUsed", "timestamp", "baseFeePerGas", "blobGasUsed", "excessBlobGas"],
]);
const PLACES: ReadonlyMap<string, number> = new Map(FIELDS.map((name, i) => [name, i]));
const QUOTE = 0x22;

/**
 * The RLP of a block's header in hexadecimal, from the members of its JSON; `undefined` where that does not hash to the hash that the
 * block claims (`0x` and lower case), or is longer than {@link HEADER_BYTES_MAX}. That it does is all that is asked of the fields. Every
 * block that is read goes through here, so nothing is parsed twice.
 */
export function headerOf(bytes: Uint8Array, members: readonly Member[], hash: string): string | undefined {
  const fields: (Uint8Array | undefined)[] = [];
  for (const { name, value } of members) {
    const field = latin1(bytes, name.from, name.to);
    const place = PLACES.get(field);
    if (place === undefined || bytes[value.from] !== QUOTE) continue;
    fields[place] = NUMBERS.has(field)
      ? numberBytes(latin1(bytes, value.from + 3, value.to - 1))
      : Buffer.from(latin1(bytes, value.from + 3, value.to - 1), "hex");
  }
  for (let i = 0; i < FIRST_FORK; i++) if (fields[i] === undefined) return undefined;
  const header = encodeRlp(fields.filter((field) => field !== undefined));
  if (header.length > HEADER_BYTES_MAX || toHex(keccak_256(header)) !== hash.slice(2)) return undefined;
  return Buffer.from(header.buffer, header.byteOffset, header.length).toString("hex");
}

function numberBytes(digits: string): Uint8Array {
  const bytes = Buffer.from(digits.length % 2 === 0 ? digits : `0${digits}`, "hex");
  let zeros = 0;
  while (bytes[zeros] === 0) zeros++;
  return bytes.subarray(zeros);
}

function latin1(bytes: Uint8Array, from: number, to: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString("latin1");
}
