import { readFile } from "node:fs/promises";
import { keccak_256 } from "@noble/hashes/sha3.js";
import type { Peers, RlpValue } from "./peers.ts";

interface Log {
  readonly address: string;
  readonly topics: readonly string[];
  readonly data: string;
}

interface Receipt {
  readonly type: string;
  readonly status: string;
  readonly cumulativeGasUsed: string;
  readonly logs: readonly Log[];
}

interface Block {
  readonly hash: string;
  readonly transactionsRoot: string;
  readonly receiptsRoot: string;
  readonly transactions: readonly (Readonly<Record<string, unknown>> & { readonly hash: string })[];
}

const bytesOf = (text: string): Uint8Array => new Uint8Array(Buffer.from(text.slice(2), "hex"));
const hexOf = (bytes: Uint8Array): string => `0x${Buffer.from(bytes).toString("hex")}`;
const minimal = (text: string): Uint8Array => {
  const digits = BigInt(text).toString(16);
  return BigInt(text) === 0n ? new Uint8Array(0) : bytesOf(`0x${digits.length % 2 === 0 ? digits : `0${digits}`}`);
};

/** What `verify: full` checks, with the packages of EthereumJS: header, each transaction's hash, both roots, blooms. Throws where one differs. */
export async function verifiedBy(peers: Peers, paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    const { block, receipts } = JSON.parse(await readFile(path, "utf8")) as {
      block: Block;
      receipts: readonly Receipt[];
    };
    expectSame(hexOf(peers.headerHash(block)), block.hash);
    const transactions = block.transactions.map((given) => {
      const tx = peers.txFromRpc(given);
      expectSame(hexOf(tx.hash()), given.hash);
      return tx.serialize();
    });
    expectSame(await rootOf(peers, transactions), block.transactionsRoot);
    expectSame(
      await rootOf(
        peers,
        receipts.map((receipt) => encoded(peers, receipt)),
      ),
      block.receiptsRoot,
    );
  }
}

function expectSame(found: string, given: string): void {
  if (found !== given) throw new Error(`EthereumJS finds ${found}, not ${given}`);
}

async function rootOf(peers: Peers, values: readonly Uint8Array[]): Promise<string> {
  const trie = await peers.trie();
  for (const [i, value] of values.entries()) await trie.put(peers.rlp(minimal(String(i))), value);
  return hexOf(trie.root());
}

function encoded(peers: Peers, { type, status, cumulativeGasUsed, logs }: Receipt): Uint8Array {
  const listed: RlpValue = logs.map(({ address, topics, data }) => [
    bytesOf(address),
    topics.map(bytesOf),
    bytesOf(data),
  ]);
  const body = peers.rlp([minimal(status), minimal(cumulativeGasUsed), bloomOf(logs), listed]);
  return type === "0x0" ? body : Uint8Array.of(Number(type), ...body);
}

/** The bloom of logs: of each address and topic three bits of 2048. */
export function bloomOf(logs: readonly Pick<Log, "address" | "topics">[]): Uint8Array {
  const bloom = new Uint8Array(256);
  for (const item of logs.flatMap(({ address, topics }) => [address, ...topics])) {
    const digest = keccak_256(bytesOf(item));
    for (const i of [0, 2, 4]) {
      const bit = (((digest[i] as number) << 8) | (digest[i + 1] as number)) & 2047;
      const at = 255 - (bit >> 3);
      bloom[at] = (bloom[at] as number) | (1 << (bit & 7));
    }
  }
  return bloom;
}
