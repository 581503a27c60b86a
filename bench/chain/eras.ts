// Blocks of every era of Ethereum, made up with the packages of EthereumJS: transactions of every type, signed, receipts and headers, with
// roots and hashes that this project's code had no part in. `node bench/chain/eras.ts` writes those that tests keep.
import { argv, stdout } from "node:process";
import { fileURLToPath } from "node:url";
import { keccak_256 } from "@noble/hashes/sha3.js";
import { bloomOf } from "./ethereumjs.ts";
import { loadPeers, type Peers, type PeerTx, type RlpValue } from "./peers.ts";

/** The eras, each with what it added to the one before. */
export const ERAS = ["frontier", "byzantium", "berlin", "london", "shanghai", "cancun", "prague"] as const;

/** One of {@link ERAS}. */
export type Era = (typeof ERAS)[number];

/** A block and its receipts as JSON-RPC gives them. */
export interface EraBlock {
  readonly era: Era;
  readonly block: Readonly<Record<string, unknown>> & { readonly hash: string; readonly number: string };
  readonly receipts: readonly Readonly<Record<string, unknown>>[];
}

/** Numbers that look random and follow from a seed (Mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let value = Math.imul(state ^ (state >>> 15), state | 1);
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61);
    return ((value ^ (value >>> 14)) >>> 0) / 2 ** 32;
  };
}

const hex = (bytes: Uint8Array): string => `0x${Buffer.from(bytes).toString("hex")}`;
const quantity = (value: bigint | number): string => `0x${value.toString(16)}`;
const bytesOf = (text: string): Uint8Array => new Uint8Array(Buffer.from(text.slice(2), "hex"));
const minimal = (value: bigint | number): Uint8Array => {
  const digits = BigInt(value).toString(16);
  return BigInt(value) === 0n ? new Uint8Array(0) : bytesOf(`0x${digits.length % 2 === 0 ? digits : `0${digits}`}`);
};

class Maker {
  private readonly peers: Peers;
  private readonly random: () => number;
  private readonly era: number;

  constructor(peers: Peers, random: () => number, era: Era) {
    this.peers = peers;
    this.random = random;
    this.era = ERAS.indexOf(era);
  }

  async make(number: number, transactions: number): Promise<EraBlock> {
    const made = Array.from({ length: transactions }, (_, i) => this.transaction(i));
    let cumulative = 0n;
    const receipts = made.map(({ tx, json }, index) => {
      const used = 21_000n + BigInt(this.below(100_000));
      cumulative += used;
      return this.receipt(tx, json, index, used, cumulative);
    });
    let logs = 0;
    for (const { json } of receipts)
      for (const log of json["logs"] as Record<string, unknown>[]) log["logIndex"] = quantity(logs++);
    const withdrawals = Array.from({ length: this.since("shanghai") ? this.below(20) : 0 }, (_, i) => ({
      index: quantity(1000 + i),
      validatorIndex: quantity(this.below(1_000_000)),
      address: hex(this.bytes(20)),
      amount: quantity(this.below(2) * this.below(2 ** 40)),
    }));
    const bloom = new Uint8Array(256);
    for (const receipt of receipts) receipt.bloom.forEach((byte, i) => (bloom[i] = (bloom[i] as number) | byte));
    const header = {
      parentHash: hex(this.bytes(32)),
      sha3Uncles: hex(keccak_256(this.peers.rlp([]))),
      miner: hex(this.bytes(20)),
      stateRoot: hex(this.bytes(32)),
      transactionsRoot: hex(await this.root(made.map(({ tx }) => tx.serialize()))),
      receiptsRoot: hex(await this.root(receipts.map(({ bytes }) => bytes))),
      logsBloom: hex(bloom),
      difficulty: quantity(this.since("shanghai") ? 0 : this.below(2 ** 45)),
      number: quantity(number),
      gasLimit: quantity(30_000_000),
      gasUsed: quantity(cumulative),
      timestamp: quantity(1_438_269_988 + this.below(2 ** 28)),
      extraData: hex(this.bytes(this.below(33))),
      mixHash: hex(this.bytes(32)),
      nonce: hex(this.bytes(8)),
      ...(this.since("london") ? { baseFeePerGas: quantity(this.below(2 ** 36)) } : {}),
      ...(this.since("shanghai")
        ? { withdrawalsRoot: hex(await this.root(withdrawals.map((each) => this.withdrawal(each)))) }
        : {}),
      ...(this.since("cancun")
        ? {
            blobGasUsed: quantity(131_072 * this.below(7)),
            excessBlobGas: quantity(131_072 * this.below(90)),
            parentBeaconBlockRoot: hex(this.bytes(32)),
          }
        : {}),
      ...(this.since("prague") ? { requestsHash: hex(this.bytes(32)) } : {}),
    };
    const bodied: readonly string[] = [
      "parentHash",
      "sha3Uncles",
      "miner",
      "stateRoot",
      "transactionsRoot",
      "receiptsRoot",
    ];
    const plain = [
      "logsBloom",
      "extraData",
      "mixHash",
      "nonce",
      "withdrawalsRoot",
      "parentBeaconBlockRoot",
      "requestsHash",
    ];
    const fields = Object.entries(header).map(([key, value]) =>
      bodied.includes(key) || plain.includes(key) ? bytesOf(value) : minimal(BigInt(value)),
    );
    const hash = hex(keccak_256(this.peers.rlp(fields)));
    return {
      era: ERAS[this.era] as Era,
      block: {
        ...header,
        hash,
        uncles: [],
        ...(this.since("shanghai") ? { withdrawals } : {}),
        transactions: made.map(({ json }, i) => ({ ...json, transactionIndex: quantity(i), blockHash: hash })),
      },
      receipts: receipts.map(({ json }) => json),
    };
  }

  private since(era: Era): boolean {
    return this.era >= ERAS.indexOf(era);
  }

  private below(limit: number): number {
    return Math.floor(this.random() * limit);
  }

  private bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.below(256));
  }

  private big(bytes: number): bigint {
    const length = 1 + this.below(bytes);
    return BigInt(hex(this.bytes(length)));
  }

  private transaction(nonce: number): { readonly tx: PeerTx; readonly json: Record<string, unknown> } {
    const types = this.since("prague")
      ? 5
      : this.since("cancun")
        ? 4
        : this.since("london")
          ? 3
          : this.since("berlin")
            ? 2
            : 1;
    const type = nonce < types ? nonce : this.below(types);
    const to = type < 3 && this.below(5) === 0 ? undefined : hex(this.bytes(20));
    const fees =
      type < 2
        ? { gasPrice: this.big(6) }
        : { maxPriorityFeePerGas: BigInt(this.below(2 ** 30)), maxFeePerGas: 2n ** 31n + this.big(6) };
    const given = {
      type,
      nonce: BigInt(this.below(4) === 0 ? 0 : this.below(2 ** 20)),
      gasLimit: BigInt(100_000 + this.below(1_000_000)),
      value: this.below(3) === 0 ? 0n : this.big(12),
      data: hex(this.bytes([0, 1, 4, 55, 56, 68, 300][this.below(7)] as number)),
      ...(to === undefined ? {} : { to }),
      ...fees,
      ...(type === 0 ? {} : { chainId: 1n, accessList: this.accessList() }),
      ...(type === 3
        ? {
            maxFeePerBlobGas: this.big(5),
            blobVersionedHashes: Array.from({ length: 1 + this.below(3) }, () => `0x01${hex(this.bytes(31)).slice(2)}`),
          }
        : {}),
      ...(type === 4 ? { authorizationList: this.authorizations() } : {}),
    };
    const tx = this.peers.tx(given).sign(this.bytes(32));
    const { gasLimit, data, accessList, authorizationList, blobVersionedHashes, ...rest } = given as Record<
      string,
      unknown
    >;
    const numbers = Object.fromEntries(
      Object.entries(rest).map(([key, value]) => [key, typeof value === "bigint" ? quantity(value) : value]),
    );
    const json = {
      ...numbers,
      type: quantity(type),
      from: tx.getSenderAddress().toString(),
      to: to ?? null,
      gas: quantity(gasLimit as bigint),
      input: data,
      hash: hex(tx.hash()),
      v: quantity(tx.v ?? 0n),
      ...(type === 0 ? {} : { yParity: quantity(tx.v ?? 0n) }),
      r: quantity(tx.r ?? 0n),
      s: quantity(tx.s ?? 0n),
      ...(accessList === undefined ? {} : { accessList }),
      ...(authorizationList === undefined ? {} : { authorizationList }),
      ...(blobVersionedHashes === undefined ? {} : { blobVersionedHashes }),
    };
    return { tx, json };
  }

  private accessList(): unknown {
    return Array.from({ length: this.below(3) }, () => ({
      address: hex(this.bytes(20)),
      storageKeys: Array.from({ length: this.below(4) }, () => hex(this.bytes(32))),
    }));
  }

  private authorizations(): unknown {
    return Array.from({ length: 1 + this.below(3) }, () => ({
      chainId: quantity(this.below(2)),
      address: hex(this.bytes(20)),
      nonce: quantity(this.below(300)),
      yParity: quantity(this.below(2)),
      r: quantity(this.big(32)),
      s: quantity(this.big(31)),
    }));
  }

  private receipt(tx: PeerTx, json: Record<string, unknown>, index: number, used: bigint, cumulative: bigint) {
    const logs = Array.from({ length: this.below(4) }, () => ({
      address: hex(this.bytes(20)),
      topics: Array.from({ length: this.below(5) }, () => hex(this.bytes(32))),
      data: hex(this.bytes([0, 1, 32, 64, 100, 300][this.below(6)] as number)),
    }));
    const bloom = bloomOf(logs);
    const status = BigInt(this.below(4) === 0 ? 0 : 1);
    const outcome = this.since("byzantium") ? minimal(status) : this.bytes(32);
    const listed: RlpValue = logs.map(({ address, topics, data }) => [
      bytesOf(address),
      topics.map(bytesOf),
      bytesOf(data),
    ]);
    const body = this.peers.rlp([outcome, minimal(cumulative), bloom, listed]);
    const bytes = tx.type === 0 ? body : Uint8Array.of(tx.type, ...body);
    return {
      bytes,
      bloom,
      json: {
        transactionHash: json["hash"],
        transactionIndex: quantity(index),
        type: quantity(tx.type),
        ...(this.since("byzantium") ? { status: quantity(status) } : { root: hex(outcome) }),
        cumulativeGasUsed: quantity(cumulative),
        gasUsed: quantity(used),
        logsBloom: hex(bloom),
        logs: logs.map((log): Record<string, unknown> => ({ ...log, removed: false })),
      } as Record<string, unknown>,
    };
  }

  private withdrawal(each: Readonly<Record<string, string>>): Uint8Array {
    const { index = "", validatorIndex = "", address = "", amount = "" } = each;
    return this.peers.rlp([
      minimal(BigInt(index)),
      minimal(BigInt(validatorIndex)),
      bytesOf(address),
      minimal(BigInt(amount)),
    ]);
  }

  private async root(values: readonly Uint8Array[]): Promise<Uint8Array> {
    const trie = await this.peers.trie();
    for (const [i, value] of values.entries()) await trie.put(this.peers.rlp(minimal(i)), value);
    return trie.root();
  }
}

/** A block of an era with so many transactions. Equal seeds give equal blocks. */
export function eraBlock(peers: Peers, era: Era, seed: number, transactions: number): Promise<EraBlock> {
  return new Maker(peers, randomOf(seed), era).make(seed, transactions);
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  const peers = loadPeers();
  if (peers === undefined) throw new Error("npm install --prefix bench");
  const blocks: EraBlock[] = [];
  for (const [i, era] of ERAS.entries()) blocks.push(await eraBlock(peers, era, 100 + i, i + 2));
  stdout.write(`[\n${blocks.map((each) => JSON.stringify(each)).join(",\n")}\n]\n`);
}
