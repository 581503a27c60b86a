/** The hash of a made-up block: `branch` tells blocks of one number apart. */
export function blockHash(number: number, branch = "a"): string {
  const digits = `${Buffer.from(branch).toString("hex")}${number.toString(16).padStart(8, "0")}`;
  return `0x${digits.padStart(64, "c")}`;
}

/** What a made-up block is like where it is not as it should be. */
export interface MadeBlock {
  readonly branch?: string;
  readonly parent?: string;
  readonly transactions?: number;
}

/** A block as `eth_getBlockByNumber` gives it, made up: its hash commits to nothing. */
export function madeBlock(number: number, { branch = "a", parent, transactions = 1 }: MadeBlock = {}): string {
  return JSON.stringify({
    number: `0x${number.toString(16)}`,
    hash: blockHash(number, branch),
    parentHash: parent ?? blockHash(number - 1, branch),
    extraData: '"}]{[\\"',
    transactions: Array.from({ length: transactions }, (_, i) => ({
      hash: blockHash(1000 * number + i, "t"),
      chainId: "0x539",
      number: "0xffff",
    })),
  });
}

/** Its receipts as `eth_getBlockReceipts` gives them. */
export function madeReceipts(number: number, { branch = "a", transactions = 1 }: MadeBlock = {}): string {
  return JSON.stringify(
    Array.from({ length: transactions }, (_, i) => ({
      transactionHash: blockHash(1000 * number + i, "t"),
      blockHash: blockHash(number, branch),
      logs: [],
    })),
  );
}

/** Both in one object. */
export function madePair(number: number, made: MadeBlock = {}): string {
  return `{"block":${madeBlock(number, made)},"receipts":${madeReceipts(number, made)}}`;
}

/** The replies of an endpoint that hold them. */
export function madeReplies(number: number, made: MadeBlock = {}): readonly [string, string] {
  return [
    `{"jsonrpc":"2.0","id":1,"result":${madeBlock(number, made)}}`,
    `{"jsonrpc":"2.0","id":2,"result":${madeReceipts(number, made)}}`,
  ];
}
