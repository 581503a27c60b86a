import { createRequire } from "node:module";
import { join } from "node:path";
import { ROOT } from "../harness.ts";

type Bytes = Uint8Array;

/** A value that RLP encodes. */
export type RlpValue = Bytes | readonly RlpValue[];

/** A transaction of @ethereumjs/tx. */
export interface PeerTx {
  readonly type: number;
  sign(key: Bytes): PeerTx;
  serialize(): Bytes;
  hash(): Bytes;
  getSenderAddress(): { toString(): string };
  readonly v?: bigint;
  readonly r?: bigint;
  readonly s?: bigint;
}

/** A trie of @ethereumjs/mpt. */
interface PeerTrie {
  put(key: Bytes, value: Bytes): Promise<void>;
  root(): Bytes;
}

/** The packages of EthereumJS, which only the bench installs: other people's implementation of the same specifications. */
export interface Peers {
  rlp(value: RlpValue): Bytes;
  tx(data: Readonly<Record<string, unknown>>): PeerTx;
  /** A transaction as JSON-RPC gives it. */
  txFromRpc(given: Readonly<Record<string, unknown>>): PeerTx;
  trie(): Promise<PeerTrie>;
  /** Hash of the header of a block as JSON-RPC gives it. */
  headerHash(block: unknown): Bytes;
}

/** Loads them; `undefined` where `npm install --prefix bench` was not run. */
export function loadPeers(): Peers | undefined {
  const load = createRequire(join(ROOT, "bench", "package.json"));
  try {
    // The packages' own types are there only where they are installed.
    const { RLP } = load("@ethereumjs/rlp") as { RLP: { encode(value: RlpValue): Bytes } };
    const { createTx, normalizeTxParams } = load("@ethereumjs/tx") as {
      createTx(data: unknown, options: unknown): PeerTx;
      normalizeTxParams(given: unknown): unknown;
    };
    const { createMPT } = load("@ethereumjs/mpt") as { createMPT(options?: unknown): Promise<PeerTrie> };
    const { createBlockHeaderFromRPC } = load("@ethereumjs/block") as {
      createBlockHeaderFromRPC(block: unknown, options: unknown): { hash(): Bytes };
    };
    const { Common, Mainnet } = load("@ethereumjs/common") as {
      Common: new (options: { chain: unknown; hardfork: string; customCrypto?: unknown }) => unknown;
      Mainnet: unknown;
    };
    // Blobs travel apart from their transactions, so nothing here checks one; the package wants a library for it all the same.
    const common = new Common({ chain: Mainnet, hardfork: "prague", customCrypto: { kzg: {} } });
    const shanghai = new Common({ chain: Mainnet, hardfork: "shanghai" });
    const options = { common, freeze: false };
    return {
      rlp: (value) => RLP.encode(value),
      tx: (data) => createTx(data, options),
      txFromRpc: (given) => createTx(normalizeTxParams(given), options),
      trie: () => createMPT(),
      headerHash: (block) => createBlockHeaderFromRPC(block, { common: shanghai }).hash(),
    };
  } catch (cause) {
    if ((cause as { code?: unknown }).code === "MODULE_NOT_FOUND") return undefined;
    throw cause;
  }
}
