import { Buffer } from "node:buffer";
import { hasCode, IpdmError } from "../../core/errors.ts";
import { elementsOf, isText, membersOf, plainText } from "../chain/json-scan.ts";
import type { BlockHead } from "../chain/kind.ts";
import type { ChainRpc, FetchedBlock } from "../chain/rpc.ts";
import type { Endpoint, RpcCall } from "../json-rpc/endpoint.ts";
import { ETHEREUM } from "./format.ts";

/** Transactions of a block; more do not fit the gas of any. */
const TRANSACTIONS_MAX = 100_000;

/** Endpoints that do not have `eth_getBlockReceipts`: receipts are asked for one by one there. */
const withoutReceipts = new WeakSet<Endpoint>();

/** Blocks by `eth_getBlockByNumber` and `eth_getBlockReceipts`, or `eth_getTransactionReceipt` where that is missing. */
export const ETHEREUM_RPC: ChainRpc = {
  async chain(endpoint, signal) {
    const [id] = await endpoint.call([{ method: "eth_chainId", params: [] }], signal);
    const text = stringOf(id);
    if (text === undefined || !/^0x[0-9a-f]{1,13}$/i.test(text)) throw odd(endpoint, "eth_chainId", "no chain id");
    return String(Number(text));
  },

  async tip(endpoint, signal) {
    const [json] = await endpoint.call([blockCall("latest", false)], signal);
    const head = json === undefined ? undefined : headIn(endpoint, json);
    if (head === undefined) throw odd(endpoint, "eth_getBlockByNumber", "no newest block");
    return head;
  },

  numbers: (_endpoint, from, to) =>
    Promise.resolve(Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => from + i)),

  async heads(endpoint, numbers, signal) {
    const blocks = await endpoint.call(
      numbers.map((number) => blockCall(hex(number), false)),
      signal,
    );
    return blocks.map((json, i) => checked(endpoint, headIn(endpoint, json), numbers[i] as number));
  },

  async blocks(endpoint, numbers, signal) {
    const blocks = await endpoint.call(
      numbers.map((number) => blockCall(hex(number), true)),
      signal,
    );
    const heads = blocks.map((json, i) => checked(endpoint, headIn(endpoint, json), numbers[i] as number));
    const there = heads.filter((head) => head !== undefined);
    const receipts = await receiptsOf(
      endpoint,
      there,
      blocks.filter((_, i) => heads[i] !== undefined),
      signal,
    );
    return heads.map((head, i): FetchedBlock | undefined => {
      const own = head === undefined ? undefined : receipts[there.indexOf(head)];
      if (head === undefined || own === undefined || !belongs(own, head)) return undefined;
      const json = Buffer.concat([
        Buffer.from('{"block":'),
        blocks[i] as Buffer,
        Buffer.from(',"receipts":'),
        own,
        Buffer.from("}\n"),
      ]);
      return { head, json };
    });
  },
};

async function receiptsOf(
  endpoint: Endpoint,
  heads: readonly BlockHead[],
  blocks: readonly Buffer[],
  signal: AbortSignal,
): Promise<readonly (Buffer | undefined)[]> {
  if (heads.length === 0) return [];
  if (!withoutReceipts.has(endpoint)) {
    try {
      const calls = heads.map(({ number }) => ({ method: "eth_getBlockReceipts", params: [hex(number)] }));
      return await endpoint.call(calls, signal);
    } catch (error) {
      if (!hasCode(error, "METHOD_MISSING")) throw error;
      withoutReceipts.add(endpoint);
    }
  }
  const hashes = blocks.map((json) => transactionHashes(endpoint, json));
  const calls = hashes.flat().map((hash): RpcCall => ({ method: "eth_getTransactionReceipt", params: [hash] }));
  const receipts = await endpoint.call(calls, signal);
  let at = 0;
  return hashes.map((own) => {
    const list = receipts.slice(at, at + own.length);
    at += own.length;
    if (list.some((json) => isText(json, { from: 0, to: json.length }, "null"))) return undefined;
    return Buffer.concat([
      Buffer.from("["),
      ...list.flatMap((json, i) => (i === 0 ? [json] : [Buffer.from(","), json])),
      Buffer.from("]"),
    ]);
  });
}

function transactionHashes(endpoint: Endpoint, json: Buffer): readonly string[] {
  const members = membersOf(json, 0, json.length) ?? [];
  const list = members.find(({ name }) => isText(json, name, "transactions"))?.value;
  const elements = list === undefined ? undefined : elementsOf(json, list.from, list.to, TRANSACTIONS_MAX);
  return (elements ?? []).map((element) => {
    const hash = membersOf(json, element.from, element.to)?.find(({ name }) => isText(json, name, "hash"))?.value;
    const text = hash === undefined ? undefined : plainText(json, hash);
    if (text === undefined) throw odd(endpoint, "eth_getBlockByNumber", "a transaction without hash");
    return text;
  });
}

/** Receipts that say they are of another block came after the endpoint changed its mind. */
function belongs(receipts: Buffer, { hash }: BlockHead): boolean {
  const parts = ETHEREUM.scan(receipts, { from: 0, to: receipts.length }, "");
  const of = typeof parts === "string" ? undefined : parts[0];
  return of !== undefined && of.head === undefined && (of.of === undefined || of.of === hash);
}

function headIn(endpoint: Endpoint, json: Buffer): BlockHead | undefined {
  if (isText(json, { from: 0, to: json.length }, "null")) return undefined;
  const parts = ETHEREUM.scan(json, { from: 0, to: json.length }, "");
  if (typeof parts === "string") throw odd(endpoint, "eth_getBlockByNumber", parts);
  return parts[0]?.head;
}

function checked(endpoint: Endpoint, head: BlockHead | undefined, number: number): BlockHead | undefined {
  if (head === undefined || head.number === number) return head;
  throw odd(endpoint, "eth_getBlockByNumber", `block ${head.number} when it is asked for ${number}`);
}

function blockCall(number: string, whole: boolean): RpcCall {
  return { method: "eth_getBlockByNumber", params: [number, whole] };
}

function hex(number: number): string {
  return `0x${number.toString(16)}`;
}

function stringOf(json: Buffer | undefined): string | undefined {
  return json === undefined ? undefined : plainText(json, { from: 0, to: json.length });
}

function odd(endpoint: Endpoint, method: string, what: string): IpdmError {
  return new IpdmError("ENDPOINT_ODD", `${endpoint.name} answers ${method} with something else: ${what}`, {
    kind: "verification",
    where: endpoint.name,
    hint: "use another endpoint",
    facts: { endpoint: endpoint.name, method },
  });
}
