import { ETHEREUM_RPC } from "../ethereum/rpc.ts";
import type { Endpoint } from "../json-rpc/endpoint.ts";
import { SOLANA_RPC } from "../solana/rpc.ts";
import type { BlockHead, ChainKind } from "./kind.ts";

/** A block as an endpoint gave it: its head, and one JSON value that holds the texts of its row. */
export interface FetchedBlock {
  readonly head: BlockHead;
  readonly json: Uint8Array;
}

/** How blocks of a kind of chain are asked for. What an endpoint says is compared here, and checked by modules. */
export interface ChainRpc {
  /** Name of the chain: see `ChainAnchor.chain`. */
  chain(endpoint: Endpoint, signal: AbortSignal): Promise<string>;
  /** The newest block. */
  tip(endpoint: Endpoint, signal: AbortSignal): Promise<BlockHead>;
  /** Numbers of the blocks from one number to another, in order: all of them, where a chain leaves none out. */
  numbers(endpoint: Endpoint, from: number, to: number, signal: AbortSignal): Promise<readonly number[]>;
  /** Heads of blocks; `undefined` where the endpoint has none of that number. */
  heads(
    endpoint: Endpoint,
    numbers: readonly number[],
    signal: AbortSignal,
  ): Promise<readonly (BlockHead | undefined)[]>;
  /** Whole blocks; `undefined` where the endpoint has none of that number, or its parts are of two blocks (it changed its mind meanwhile). */
  blocks(
    endpoint: Endpoint,
    numbers: readonly number[],
    signal: AbortSignal,
  ): Promise<readonly (FetchedBlock | undefined)[]>;
}

const RPC: Readonly<Record<ChainKind, ChainRpc>> = { ethereum: ETHEREUM_RPC, solana: SOLANA_RPC };

/** How a kind of chain is asked. */
export function chainRpc(kind: ChainKind): ChainRpc {
  return RPC[kind];
}
