import { leafHash, merkleRoot } from "../../proofs/merkle/tree.ts";
import type { SourceConfig } from "../config/config.ts";
import {
  type ChainAnchor,
  HASHES_PER_NODE,
  type HashesNode,
  HEADERS_PER_NODE,
  type HeadersNode,
  openAnchor,
} from "../consensus/chain-anchor.ts";
import { type Anchor, isChainAnchor } from "../consensus/result.ts";
import { concatAll, equalBytes } from "../core/bytes.ts";
import { IpdmError } from "../core/errors.ts";
import type { Hash } from "../core/ports.ts";
import { type Block, cborBlock } from "../dag/block.ts";
import type { ChainContent, ChainKind } from "../sources/chain/kind.ts";
import { type GeneratedContent, generatedText } from "../sources/generated/kind.ts";
import type { Content } from "../sources/port.ts";
import { declaredColumns } from "./module-form.ts";

/** A chain whose head is followed: what it will hold is not known yet. */
export interface FollowedContent {
  readonly kind: ChainKind;
  readonly chain: string | null;
  readonly from: number;
  readonly isFollowed: true;
}

/** What a source holds: a file's digest, what generated rows follow from, or a chain's block hashes. */
export type SourceContent = Content | GeneratedContent | ChainContent;

/** True for the content of a chain. */
export function isChainContent(content: SourceContent | FollowedContent): content is ChainContent | FollowedContent {
  return "kind" in content && content.kind !== "generated";
}

/** An input's anchor, its block, and the blocks that it links. */
export interface AnchorBlocks {
  readonly anchor: Anchor;
  readonly block: Block;
  readonly parts: readonly Block[];
  /** Nodes of the headers of a chain's blocks, for receipts; none where the source does not have them. */
  readonly headers: readonly Block[];
}

/** The anchor of a source with this content. */
export function anchorOf(source: SourceConfig, content: SourceContent | FollowedContent, hash: Hash): AnchorBlocks {
  if (source.kind === "file") {
    if ("kind" in content) throw mixed(source.name);
    const { sha256, bytes } = content;
    const columns = declaredColumns(source.columns ?? null);
    const anchor: Anchor = { v: 1, kind: "file", format: source.format, sha256, bytes, columns };
    return { anchor, block: cborBlock(hash, anchor), parts: [], headers: [] };
  }
  if ("kind" in content && content.kind === "generated") {
    const anchor: Anchor = { v: 1, ...content };
    return { anchor, block: cborBlock(hash, anchor), parts: [], headers: [] };
  }
  if (!isChainContent(content) || source.kind === "generated") throw mixed(source.name);
  if (!("isFollowed" in content)) return chainAnchorOf(content, hash);
  const { kind, chain, from } = content;
  const anchor: ChainAnchor = openAnchor({ v: 1, kind, chain, from, to: null, blocks: null, root: null, hashes: [] });
  return { anchor, block: cborBlock(hash, anchor), parts: [], headers: [] };
}

/** The anchor of blocks of a chain. */
export function chainAnchorOf(content: Omit<ChainContent, "bytes" | "anchor">, hash: Hash): AnchorBlocks {
  const { kind, chain, from, to, hashes, headers } = content;
  const parts: Block[] = [];
  for (let at = 0; at < hashes.length; at += HASHES_PER_NODE) {
    const node: HashesNode = { v: 1, kind: "block-hashes", hashes: concatAll(hashes.slice(at, at + HASHES_PER_NODE)) };
    parts.push(cborBlock(hash, node));
  }
  const anchor: ChainAnchor = {
    v: 1,
    kind,
    chain,
    from,
    to,
    blocks: hashes.length,
    root: hashesRoot(hash, hashes),
    hashes: parts.map(({ cid }) => cid),
  };
  return { anchor, block: cborBlock(hash, anchor), parts, headers: headerNodes(headers ?? [], hash) };
}

function headerNodes(headers: readonly Uint8Array[], hash: Hash): readonly Block[] {
  const nodes: Block[] = [];
  for (let at = 0; at < headers.length; at += HEADERS_PER_NODE) {
    const node: HeadersNode = { v: 1, kind: "block-headers", headers: headers.slice(at, at + HEADERS_PER_NODE) };
    nodes.push(cborBlock(hash, node));
  }
  return nodes;
}

/** RFC 6962 root over block hashes, in order. */
export function hashesRoot(hash: Hash, hashes: readonly Uint8Array[]): Uint8Array {
  return merkleRoot(
    hash,
    hashes.map((each) => leafHash(hash, each)),
  );
}

/** True when a source still holds what its anchor says: the same file, the same generated rows, or the same block hashes in order. */
export function isContentOf(anchor: Anchor, content: SourceContent, hash: Hash): boolean {
  if (!("kind" in content)) return anchor.kind === "file" && equalBytes(content.sha256, anchor.sha256);
  if (content.kind === "generated")
    return anchor.kind === "generated" && generatedText(anchor) === generatedText(content);
  if (!isChainAnchor(anchor) || anchor.root === null) return false;
  return (
    content.kind === anchor.kind &&
    content.hashes.length === anchor.blocks &&
    equalBytes(hashesRoot(hash, content.hashes), anchor.root)
  );
}

function mixed(name: string): IpdmError {
  return new IpdmError("INVARIANT", `source ${name} holds what its kind says`);
}
