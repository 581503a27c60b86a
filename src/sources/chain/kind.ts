import type { Schema } from "../../batch/schema.ts";
import type { BatchWriter } from "../../batch/writer.ts";
import { HEADERS_MAX } from "../../consensus/chain-anchor.ts";
import { fromHex } from "../../core/bytes.ts";
import type { KnownEnds, Slice } from "./json-scan.ts";

/** Chains whose blocks can be read. */
export const CHAIN_KINDS = ["ethereum", "solana"] as const;

/** One of {@link CHAIN_KINDS}. */
export type ChainKind = (typeof CHAIN_KINDS)[number];

/** How much of a block the modules that read it recompute, from nothing to everything that its hash commits to. */
export const CHAIN_VERIFY = ["none", "hash", "links", "full"] as const;

/** One of {@link CHAIN_VERIFY}. */
export type ChainVerify = (typeof CHAIN_VERIFY)[number];

/** What several endpoints are for: to agree on every block's hash, or to give it as soon as any can. */
export const ENDPOINT_MODES = ["compare", "race"] as const;

/** One of {@link ENDPOINT_MODES}. */
export type EndpointMode = (typeof ENDPOINT_MODES)[number];

/** A hash that the reader trusts: of the block of that number, or, without one, of the first block's parent or of any block. */
export interface TrustedHash {
  readonly block: number | null;
  readonly hash: string;
}

/** What to read of a chain. Plain data, so that another thread can read it as this one would. */
export interface ChainSpec {
  readonly kind: ChainKind;
  /** Files and folders, absolute. */
  readonly places: readonly string[];
  /** First and last block; all that the places hold where they are left out. */
  readonly from: number | null;
  readonly to: number | null;
  readonly anchor: TrustedHash | null;
  /** Name of the chain where the user or an endpoint says it; else what the blocks say. */
  readonly chain: string | null;
}

/** What a block claims to be. Nothing of it is checked where blocks are read. */
export interface BlockHead {
  readonly number: number;
  readonly hash: string;
  readonly parent: string;
  /** Number of the parent, for chains whose numbers have gaps. */
  readonly parentNumber: number;
  /** A digest of which transactions an endpoint says it has, for chains whose hash does not tell. */
  readonly content?: string;
  /** The header in hexadecimal, where its hash is the block's: computed from what the block says, never taken from it. */
  readonly header?: string | undefined;
}

/** What one JSON value holds of a block: all of it, or one of the texts of a row. */
export interface BlockPart {
  /** Absent where the value is no block but belongs to one. */
  readonly head: BlockHead | undefined;
  /** Hash of the block that a part without head says it belongs to, where it says so. */
  readonly of: string | undefined;
  /** Where the texts of the row stand, in the order of the schema's last columns. */
  readonly texts: readonly (Slice | undefined)[];
}

/** What is particular to the blocks of one kind of chain. */
export interface ChainFormat {
  readonly kind: ChainKind;
  /** Columns of a row: those of the head, then the texts. */
  readonly schema: Schema;
  /** The texts of a row, by name, in the order of the schema. */
  readonly texts: readonly string[];
  /**
   * Finds blocks in a JSON value of a file of that name (without its folder); a text says why it is none. It never parses more than a
   * block's first level. `known` has what whoever found the value has found inside it.
   */
  scan(bytes: Uint8Array, value: Slice, file: string, known?: KnownEnds): readonly BlockPart[] | string;
  /** Name of the chain, where the texts of a block say it. */
  chainOf(bytes: Uint8Array, text: Slice): string | undefined;
  /** Why a block cannot come after another; `undefined` when it can. `missing` is the first number that is not there. */
  gap(before: BlockHead, after: BlockHead): { readonly missing: number } | undefined;
  /** Writes the columns of the head; `parent` and `parentNumber` are those that the row before claims. */
  pushHead(writer: BatchWriter, head: BlockHead, parent: string, parentNumber: number): void;
  /** The 32 bytes of a hash as the chain writes it; `undefined` when it is none. */
  hashBytes(text: string): Uint8Array | undefined;
  /** A hash of 32 bytes as the chain writes it. */
  hashText(bytes: Uint8Array): string;
}

/** The content of a chain input: the chain and its ordered block hashes. */
export interface ChainContent {
  readonly kind: ChainKind;
  readonly chain: string | null;
  readonly from: number;
  readonly to: number;
  readonly hashes: readonly Uint8Array[];
  /**
   * Headers of all blocks, where each hashes to its block's hash and names the block before as its parent, and there are at most
   * {@link HEADERS_MAX}.
   */
  readonly headers: readonly Uint8Array[] | null;
  /** Bytes of the texts of all rows. */
  readonly bytes: number;
  /**
   * The block whose hash is known to be right, where one is: the user gave its hash, or so many endpoints agree on it and
   * everything before.
   */
  readonly anchor: {
    readonly block: number;
    readonly hash: Uint8Array;
    readonly by: "given" | "compared";
    readonly endpoints: number;
  } | null;
}

/** The headers of so many blocks that follow each other: see `headers` of {@link ChainContent}. */
export function headersOf(length: number, blocks: Iterable<BlockHead>): readonly Uint8Array[] | null {
  if (length > HEADERS_MAX) return null;
  const headers: Uint8Array[] = [];
  let before: string | undefined;
  for (const { header, hash, parent } of blocks) {
    const bytes = header === undefined ? undefined : fromHex(header);
    if (bytes === undefined || (before !== undefined && parent !== before)) return null;
    headers.push(bytes);
    before = hash;
  }
  return headers;
}
