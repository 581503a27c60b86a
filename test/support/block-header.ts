import { keccak_256 } from "@noble/hashes/sha3.js";

// The header's RLP and hash once more, for blocks that are consistent in all but one thing.
const FIELDS = [
  ...["parentHash", "sha3Uncles", "miner", "stateRoot", "transactionsRoot", "receiptsRoot", "logsBloom", "difficulty"],
  ...[
    "number",
    "gasLimit",
    "gasUsed",
    "timestamp",
    "extraData",
    "mixHash",
    "nonce",
    "baseFeePerGas",
    "withdrawalsRoot",
  ],
  ...["blobGasUsed", "excessBlobGas", "parentBeaconBlockRoot", "requestsHash"],
];
const QUANTITIES = /^(difficulty|number|gasLimit|gasUsed|timestamp|baseFeePerGas|blobGasUsed|excessBlobGas)$/;

/** The hash of a block's header as its fields are. */
export function headerHash(block: Readonly<Record<string, unknown>>): string {
  const items = FIELDS.filter((field) => block[field] !== undefined).map((field) => {
    const digits = String(block[field]).slice(2);
    if (!QUANTITIES.test(field)) return Buffer.from(digits, "hex");
    return digits === "0" ? Buffer.alloc(0) : Buffer.from(digits.length % 2 === 0 ? digits : `0${digits}`, "hex");
  });
  const body = Buffer.concat(
    items.map((item) => (item.length === 1 && (item[0] as number) < 0x80 ? item : withHeader(item, 0x80))),
  );
  return `0x${Buffer.from(keccak_256(withHeader(body, 0xc0))).toString("hex")}`;
}

function withHeader(content: Buffer, base: number): Buffer {
  if (content.length < 56) return Buffer.concat([Buffer.of(base + content.length), content]);
  const digits = content.length.toString(16);
  const length = Buffer.from(digits.length % 2 === 0 ? digits : `0${digits}`, "hex");
  return Buffer.concat([Buffer.of(base + 55 + length.length), length, content]);
}
