import { Buffer } from "node:buffer";
import { IpdmError } from "../../core/errors.ts";
import { elementsOf, isText, plainText, type Slice } from "../chain/json-scan.ts";
import type { BlockHead } from "../chain/kind.ts";
import type { ChainRpc, FetchedBlock } from "../chain/rpc.ts";
import type { Endpoint, RpcCall } from "../json-rpc/endpoint.ts";
import { SOLANA } from "./format.ts";

/** Slots that one `getBlocks` may span (agave `MAX_GET_CONFIRMED_BLOCKS_RANGE`). */
const SPAN_MAX = 500_000;
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
    const [head] = await SOLANA_RPC.heads(endpoint, [slot], signal);
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
      numbers.map((slot) => blockCall(slot, "none")),
      signal,
    );
    return blocks.map((json, i) => placed(endpoint, numbers[i] as number, json)?.head);
  },

  async blocks(endpoint, numbers, signal) {
    const blocks = await endpoint.call(
      numbers.map((slot) => blockCall(slot, "full")),
      signal,
    );
    return blocks.map((json, i) => placed(endpoint, numbers[i] as number, json));
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

function blockCall(slot: number, transactionDetails: "full" | "none"): RpcCall {
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
