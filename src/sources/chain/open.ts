import type { Batch } from "../../batch/batch.ts";
import { checkBatches } from "../../batch/cut.ts";
import type { Schema } from "../../batch/schema.ts";
import { equalBytes } from "../../core/bytes.ts";
import type { BatchesOptions, OpenSourceOptions, TableSource } from "../port.ts";
import { readInThread } from "../thread.ts";
import { type BlockIndex, indexBlocks } from "./block-index.ts";
import { BlockReader } from "./block-reader.ts";
import { BlockTable } from "./block-table.ts";
import { anchorMismatch, missingBlock } from "./failure.ts";
import { chainFormat } from "./formats.ts";
import { indexInThread } from "./index-thread.ts";
import { type ChainContent, type ChainFormat, type ChainSpec, headersOf } from "./kind.ts";
import { KnownBlocks } from "./known-blocks.ts";

/** How to open blocks of a chain. */
export interface OpenChainOptions extends OpenSourceOptions {
  /** Where what is found is kept for the next who opens the same. */
  readonly known?: KnownBlocks | undefined;
}

/**
 * Opens blocks of a chain as a table: finds them, and checks that numbers have no gap and none is there twice, and that a trusted
 * hash is among them. What the blocks say of themselves is not checked here but by the modules that read them. Throws what
 * {@link indexBlocks} does, and `CHAIN_ANCHOR_MISMATCH`.
 */
export async function openChain(
  spec: ChainSpec,
  { signal, worker = true, known = new KnownBlocks() }: OpenChainOptions = {},
): Promise<TableSource<ChainContent>> {
  signal?.throwIfAborted();
  const format = chainFormat(spec.kind);
  const index = await known.of(spec, () => (worker ? indexInThread(spec, signal) : indexBlocks(spec, signal)));
  return new BlockSource(spec, format, index, worker);
}

class BlockSource implements TableSource<ChainContent> {
  readonly schema: Schema;
  readonly rows: number;
  private readonly spec: ChainSpec;
  private readonly index: BlockIndex;
  private readonly found: ChainContent;
  private readonly inThread: boolean;
  private readonly closing = new AbortController();

  constructor(spec: ChainSpec, format: ChainFormat, index: BlockIndex, inThread: boolean) {
    this.spec = spec;
    this.index = index;
    this.inThread = inThread;
    this.schema = format.schema;
    this.rows = index.blocks.length;
    this.found = contentOf(spec, format, index);
  }

  batches(options: BatchesOptions): AsyncIterableIterator<Batch> {
    checkBatches(options.batchRows, options.fromRow ?? 0);
    const { signal } = options;
    const bound = {
      ...options,
      signal: signal === undefined ? this.closing.signal : AbortSignal.any([signal, this.closing.signal]),
    };
    const plan = { kind: this.spec.kind, index: this.index };
    return this.inThread ? readInThread({ chain: plan }, this.schema, bound) : new BlockReader(plan).read(bound);
  }

  content(): Promise<ChainContent> {
    return Promise.resolve(this.found);
  }

  close(): Promise<void> {
    this.closing.abort(new DOMException("the source was closed", "AbortError"));
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function contentOf(spec: ChainSpec, format: ChainFormat, { blocks: data, chain, bytes }: BlockIndex): ChainContent {
  const blocks = new BlockTable(format, data);
  return {
    kind: spec.kind,
    chain,
    // Not what was asked for: before the first block and behind the last there may be slots that were skipped.
    from: blocks.number(0),
    to: blocks.number(blocks.length - 1),
    hashes: Array.from({ length: blocks.length }, (_, row) => blocks.hashBytes(row)),
    headers: headersOf(blocks.length, blocks.heads()),
    bytes,
    anchor: anchorOf(spec, format, blocks),
  };
}

/** The block that the trusted hash is of. Throws `CHAIN_ANCHOR_MISMATCH` where none of the blocks, nor the first one's parent, has it. */
function anchorOf({ anchor }: ChainSpec, format: ChainFormat, blocks: BlockTable): ChainContent["anchor"] {
  if (anchor === null) return null;
  const first = blocks.head(0);
  const trusted = format.hashBytes(anchor.hash) as Uint8Array;
  const isTrusted = (hash: string): boolean => equalBytes(format.hashBytes(hash) as Uint8Array, trusted);
  const given = (block: number): ChainContent["anchor"] => ({ block, hash: trusted, by: "given", endpoints: 0 });
  if (anchor.block !== null) {
    const { block } = anchor;
    const found = block === first.parentNumber ? first.parent : blocks.find(({ number }) => number === block)?.hash;
    if (found === undefined) throw missingBlock(block, "a trusted hash is given for it");
    if (isTrusted(found)) return given(block);
    throw anchorMismatch(`block ${block} has the hash ${found}, not the trusted ${anchor.hash}`, { block, found });
  }
  if (isTrusted(first.parent)) return given(first.parentNumber);
  const block = blocks.find(({ hash }) => isTrusted(hash));
  if (block !== undefined) return given(block.number);
  const last = blocks.number(blocks.length - 1);
  throw anchorMismatch(
    `the trusted hash ${anchor.hash} is neither that of the parent of block ${first.number} nor of any block up to ${last}`,
    { hash: anchor.hash, from: first.number, to: last },
  );
}
