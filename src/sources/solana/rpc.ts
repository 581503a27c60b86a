import { Buffer } from "node:buffer";
import { hash } from "node:crypto";
import { IpdmError } from "../../core/errors.ts";
import { elementsOf, isText, membersOf, plainText, type Slice } from "../chain/json-scan.ts";
import type { BlockHead } from "../chain/kind.ts";
import type { ChainRpc, FetchedBlock } from "../chain/rpc.ts";
import type { Endpoint, RpcCall } from "../json-rpc/endpoint.ts";
import { SOLANA } from "./format.ts";

/** Slots that one `getBlocks` may span (agave `MAX_GET_CONFIRMED_BLOCKS_RANGE`). */
const SPAN_MAX = 500_000;
/** Transactions of a block: far more than fit one. */
const TRANSACTIONS_MAX = 1_000_000;
const COMMITMENT = "finalized";

/**
 * Blocks by `getBlocks` and `getBlock`, those that are finalized: they are not reorganised. Which slots were skipped is the endpoint's
 * word in `getBlocks`, and checked by the parents of the blocks.
 */
export const SOLANA_RPC: ChainRpc = {
  /** The hash of the first block: a cluster has no other name that nobody can take. */
  async chain(endpoint, signal) {
    const [json] = await endpoint.call([{ method: "getGenesisHash", params: [] }], signal);
    const text = json === undefined ? undefined : plainText(json, whole(json));
    if (text === undefined || SOLANA.hashBytes(text) === undefined)
      throw odd(endpoint, "getGenesisHash", "no hash of 32 bytes");
    return text;
  },

  async tip(endpoint, signal) {
    const [json] = await endpoint.call([{ method: "getSlot", params: [{ commitment: COMMITMENT }] }], signal);
    const slot = json === undefined ? undefined : slotIn(json, whole(json));
    if (slot === undefined) throw odd(endpoint, "getSlot", "no slot");
    const [block] = await endpoint.call([blockCall(slot, "none")], signal);
    const head = block === undefined ? undefined : placed(endpoint, slot, block)?.head;
    if (head === undefined) throw odd(endpoint, "getBlock", `no block of its newest slot, ${slot}`);
    return head;
  },

  /** Slots with a block. Where the last ones have none, the next block behind them comes along, whose parent tells that they were skipped. */
  async numbers(endpoint, from, to, signal) {
    const slots: number[] = [];
    for (let at = from; at <= to; at += SPAN_MAX)
      slots.push(...(await slotsOf(endpoint, "getBlocks", [at, Math.min(to, at + SPAN_MAX - 1)], SPAN_MAX, signal)));
    const isInOrder = slots.every((slot, i) => slot >= from && slot <= to && slot > (slots[i - 1] ?? -1));
    if (!isInOrder) throw odd(endpoint, "getBlocks", "slots that nobody asked for, or not in their order");
    if (slots.at(-1) === to) return slots;
    const [next] = await slotsOf(endpoint, "getBlocksWithLimit", [to + 1, 1], 1, signal);
    return next === undefined ? slots : [...slots, next];
  },

  async heads(endpoint, numbers, signal) {
    const blocks = await endpoint.call(
      numbers.map((slot) => blockCall(slot, "signatures")),
      signal,
    );
    return blocks.map((json, i) => {
      const head = placed(endpoint, numbers[i] as number, json)?.head;
      return head && { ...head, content: contentOf(endpoint, signaturesIn(json)) };
    });
  },

  async blocks(endpoint, numbers, signal) {
    const blocks = await endpoint.call(
      numbers.map((slot) => blockCall(slot, "full")),
      signal,
    );
    return blocks.map((json, i): FetchedBlock | undefined => {
      const block = placed(endpoint, numbers[i] as number, json);
      return block && { ...block, head: { ...block.head, content: contentOf(endpoint, transactionIdsIn(json)) } };
    });
  },
};

/** `{slot, block}` of what the endpoint gives for a slot; `undefined` where it has none. */
function placed(endpoint: Endpoint, slot: number, block: Buffer): FetchedBlock | undefined {
  if (isText(block, whole(block), "null")) return undefined;
  const json = Buffer.concat([Buffer.from(`{"slot":${slot},"block":`), block, Buffer.from("}\n")]);
  const parts = SOLANA.scan(json, { from: 0, to: json.length - 1 }, "");
  if (typeof parts === "string") throw odd(endpoint, "getBlock", parts);
  const head: BlockHead | undefined = parts[0]?.head;
  return head === undefined ? undefined : { head, json };
}

/** A digest of the transactions of a block, by their first signatures in order: no hash of Solana covers which a block has. */
function contentOf(endpoint: Endpoint, ids: readonly string[] | undefined): string {
  if (ids === undefined) throw odd(endpoint, "getBlock", "transactions without signatures");
  return hash("sha256", ids.join("\n"), "hex");
}

/** The signatures of a block of which nothing else was asked for. */
function signaturesIn(json: Buffer): readonly string[] | undefined {
  const list = memberOf(json, whole(json), "signatures");
  return list && idsIn(json, elementsOf(json, list.from, list.to, TRANSACTIONS_MAX));
}

/** The first signature of each transaction of a block. */
function transactionIdsIn(json: Buffer): readonly string[] | undefined {
  const list = memberOf(json, whole(json), "transactions");
  const transactions = list && elementsOf(json, list.from, list.to, TRANSACTIONS_MAX);
  const firsts = transactions?.map((each) => {
    const transaction = memberOf(json, each, "transaction");
    const signatures = transaction && memberOf(json, transaction, "signatures");
    return signatures && elementsOf(json, signatures.from, signatures.to, 1)?.[0];
  });
  return idsIn(json, firsts);
}

function idsIn(json: Buffer, slices: readonly (Slice | undefined)[] | undefined): readonly string[] | undefined {
  const ids = slices?.map((slice) => slice && plainText(json, slice));
  return ids?.includes(undefined) === false ? (ids as string[]) : undefined;
}

function memberOf(json: Buffer, { from, to }: Slice, name: string): Slice | undefined {
  const members = json[from] === 0x7b ? membersOf(json, from, to) : undefined;
  return members?.find((member) => isText(json, member.name, name))?.value;
}

function blockCall(slot: number, transactionDetails: "full" | "signatures" | "none"): RpcCall {
  const options = { encoding: "json", transactionDetails, rewards: false, maxSupportedTransactionVersion: 0 };
  return { method: "getBlock", params: [slot, { ...options, commitment: COMMITMENT }] };
}

async function slotsOf(
  endpoint: Endpoint,
  method: string,
  params: readonly [number, number],
  most: number,
  signal: AbortSignal,
): Promise<readonly number[]> {
  const [json] = await endpoint.call([{ method, params: [...params, { commitment: COMMITMENT }] }], signal);
  const isList = json !== undefined && json[0] === 0x5b;
  const elements = isList ? elementsOf(json, 0, json.length, most + 1) : undefined;
  if (json === undefined || elements === undefined || elements.length > most)
    throw odd(endpoint, method, "no list of slots");
  return elements.map((element) => {
    const slot = slotIn(json, element);
    if (slot === undefined) throw odd(endpoint, method, "a slot that is no whole number");
    return slot;
  });
}

function slotIn(json: Buffer, { from, to }: Slice): number | undefined {
  const text = json.toString("latin1", from, Math.min(to, from + 20));
  return /^(0|[1-9]\d{0,15})$/.test(text) && Number.isSafeInteger(Number(text)) ? Number(text) : undefined;
}

function whole(json: Buffer): Slice {
  return { from: 0, to: json.length };
}

function odd(endpoint: Endpoint, method: string, what: string): IpdmError {
  return new IpdmError("ENDPOINT_ODD", `${endpoint.name} answers ${method} with something else: ${what}`, {
    kind: "verification",
    where: endpoint.name,
    hint: "use another endpoint",
    facts: { endpoint: endpoint.name, method },
  });
}
