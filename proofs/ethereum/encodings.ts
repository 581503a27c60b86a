import { z } from "zod";
import { concat, fromHex } from "../../src/core/bytes.ts";
import { encodeRlp, quantityBytes, type Rlp } from "./rlp.ts";

const bytes = z.string().regex(/^0x(?:[0-9a-fA-F]{2})*$/);
const quantity = z.string().regex(/^0x[0-9a-fA-F]{1,64}$/);
const optional = quantity.optional().nullable();

const accessList = z.array(z.object({ address: bytes, storageKeys: z.array(bytes) }));
const authorization = z.object({
  chainId: quantity,
  address: bytes,
  nonce: quantity,
  yParity: quantity,
  r: quantity,
  s: quantity,
});

/** A transaction as JSON-RPC gives it, as far as its encoding needs. */
const transactionSchema = z.object({
  hash: bytes,
  type: quantity.default("0x0"),
  chainId: optional,
  nonce: quantity,
  gasPrice: optional,
  maxPriorityFeePerGas: optional,
  maxFeePerGas: optional,
  maxFeePerBlobGas: optional,
  gas: quantity,
  to: bytes.nullable().optional(),
  value: quantity,
  input: bytes,
  accessList: accessList.optional().nullable(),
  blobVersionedHashes: z.array(bytes).optional().nullable(),
  authorizationList: z.array(authorization).optional().nullable(),
  v: optional,
  yParity: optional,
  r: quantity,
  s: quantity,
});

/** A receipt as JSON-RPC gives it, as far as its encoding needs. */
export const receiptSchema = z.object({
  type: quantity.default("0x0"),
  status: optional,
  root: bytes.optional().nullable(),
  cumulativeGasUsed: quantity,
  logsBloom: bytes,
  logs: z.array(z.object({ address: bytes, topics: z.array(bytes), data: bytes })),
});

/** A block's header as JSON-RPC gives it. */
export const headerSchema = z.object({
  parentHash: bytes,
  sha3Uncles: bytes,
  miner: bytes,
  stateRoot: bytes,
  transactionsRoot: bytes,
  receiptsRoot: bytes,
  logsBloom: bytes,
  difficulty: quantity,
  number: quantity,
  gasLimit: quantity,
  gasUsed: quantity,
  timestamp: quantity,
  extraData: bytes,
  mixHash: bytes,
  nonce: bytes,
  baseFeePerGas: optional,
  withdrawalsRoot: bytes.optional().nullable(),
  blobGasUsed: optional,
  excessBlobGas: optional,
  parentBeaconBlockRoot: bytes.optional().nullable(),
  requestsHash: bytes.optional().nullable(),
});

const withdrawalSchema = z.object({ index: quantity, validatorIndex: quantity, address: bytes, amount: quantity });

/** A block's header, transactions and withdrawals as JSON-RPC gives them, as far as their encodings need. */
export const blockSchema = headerSchema.extend({
  transactions: z.array(transactionSchema),
  withdrawals: z.array(withdrawalSchema).optional().nullable(),
});

type Transaction = z.output<typeof transactionSchema>;

/** The header whose Keccak-256 is the block's hash: with as many fields as its fork has (EIP-1559, 4895, 4844, 4788, 7685). */
export function encodeHeader(block: z.output<typeof headerSchema>): Uint8Array {
  const fields: Rlp[] = [
    ...[block.parentHash, block.sha3Uncles, block.miner, block.stateRoot, block.transactionsRoot].map(bytesOf),
    ...[block.receiptsRoot, block.logsBloom].map(bytesOf),
    ...[block.difficulty, block.number, block.gasLimit, block.gasUsed, block.timestamp].map(numberOf),
    ...[block.extraData, block.mixHash, block.nonce].map(bytesOf),
  ];
  const later: readonly (readonly [string | null | undefined, (text: string) => Uint8Array])[] = [
    [block.baseFeePerGas, numberOf],
    [block.withdrawalsRoot, bytesOf],
    [block.blobGasUsed, numberOf],
    [block.excessBlobGas, numberOf],
    [block.parentBeaconBlockRoot, bytesOf],
    [block.requestsHash, bytesOf],
  ];
  for (const [text, read] of later) if (text !== undefined && text !== null) fields.push(read(text));
  return encodeRlp(fields);
}

/** What the trie of transactions holds, and whose Keccak-256 is the transaction's hash (EIP-155, 2930, 1559, 4844, 7702). */
export function encodeTransaction(tx: Transaction): Uint8Array {
  const type = Number(tx.type);
  const to = bytesOf(tx.to ?? "0x");
  const parity = [numberOf(tx.yParity ?? tx.v), numberOf(tx.r), numberOf(tx.s)];
  const call = [numberOf(tx.gas), to, numberOf(tx.value), bytesOf(tx.input)];
  if (type === 0)
    return encodeRlp([
      numberOf(tx.nonce),
      numberOf(tx.gasPrice),
      ...call,
      numberOf(tx.v),
      numberOf(tx.r),
      numberOf(tx.s),
    ]);
  const access = (tx.accessList ?? []).map((one) => [bytesOf(one.address), one.storageKeys.map(bytesOf)]);
  const fees = type === 1 ? [tx.gasPrice] : [tx.maxPriorityFeePerGas, tx.maxFeePerGas];
  const blobs = type === 3 ? [numberOf(tx.maxFeePerBlobGas), (tx.blobVersionedHashes ?? []).map(bytesOf)] : [];
  const authorizations = type === 4 ? [(tx.authorizationList ?? []).map(authorizationOf)] : [];
  const start = [numberOf(tx.chainId), numberOf(tx.nonce), ...fees.map(numberOf)];
  const body = encodeRlp([...start, ...call, access, ...blobs, ...authorizations, ...parity]);
  return concat(Uint8Array.of(type), body);
}

/** What the trie of receipts holds; before Byzantium a state root stands where the status does (EIP-658, 2718). */
export function encodeReceipt(receipt: z.output<typeof receiptSchema>): Uint8Array {
  const { root, status } = receipt;
  const outcome = root === undefined || root === null || status !== undefined ? numberOf(status) : bytesOf(root);
  const logs = receipt.logs.map(({ address, topics, data }) => [bytesOf(address), topics.map(bytesOf), bytesOf(data)]);
  const body = encodeRlp([outcome, numberOf(receipt.cumulativeGasUsed), bytesOf(receipt.logsBloom), logs]);
  const type = Number(receipt.type);
  return type === 0 ? body : concat(Uint8Array.of(type), body);
}

/** What the trie of withdrawals holds (EIP-4895); the amount is in gwei. */
export function encodeWithdrawal(one: z.output<typeof withdrawalSchema>): Uint8Array {
  return encodeRlp([numberOf(one.index), numberOf(one.validatorIndex), bytesOf(one.address), numberOf(one.amount)]);
}

function authorizationOf(one: z.output<typeof authorization>): Rlp {
  const signature = [one.yParity, one.r, one.s].map(numberOf);
  return [numberOf(one.chainId), bytesOf(one.address), numberOf(one.nonce), ...signature];
}

function bytesOf(text: string): Uint8Array {
  return fromHex(text.slice(2)) ?? new Uint8Array(0);
}

function numberOf(text: string | null | undefined): Uint8Array {
  return quantityBytes(BigInt(text ?? 0));
}
