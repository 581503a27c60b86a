import { isUtf8 } from "node:buffer";
import { basename } from "node:path";
import { overLimit } from "../failure.ts";
import { SourceFile } from "../file.ts";
import { type BlockTable, type BlockTableData, BlockTableWriter, type TextPlace } from "./block-table.ts";
import { chainBytes } from "./chain-bytes.ts";
import { duplicateBlock, incompleteBlock, malformedBlock, missingBlock } from "./failure.ts";
import { chainFormat } from "./formats.ts";
import { jsonValues, type ValueFault } from "./json-values.ts";
import type { BlockHead, BlockPart, ChainFormat, ChainSpec } from "./kind.ts";
import { CHAIN_BLOCKS_MAX, ROW_BYTES_MAX, WHOLE_FILE_BYTES_MAX } from "./limits.ts";
import { type ChainFile, chainFiles } from "./places.ts";
import { PlainFile, plainChunks, Room } from "./plain-file.ts";

/** All blocks of a chain source, in order. Plain data. */
export interface BlockIndex {
  readonly files: readonly ChainFile[];
  readonly blocks: BlockTableData;
  /** Name of the chain: what was said, else what the first block that says it says. */
  readonly chain: string | null;
  /** Name of the chain that the first block says which says one. */
  readonly said: string | null;
  /** Bytes of the texts of all rows. */
  readonly bytes: number;
}

/**
 * Finds the blocks of files: reads them once from end to end, at the speed of a byte scanner, and holds one value in memory.
 * Throws what {@link chainFiles} does and, of kind `verification`, `CHAIN_BLOCK_MALFORMED`, `CHAIN_INCOMPLETE`, `CHAIN_DUPLICATE`,
 * `CHAIN_GAP`; and `SOURCE_LIMIT`, `SOURCE_CHANGED`, `SOURCE_UNREADABLE`.
 */
export async function indexBlocks(spec: ChainSpec, signal?: AbortSignal): Promise<BlockIndex> {
  const format = chainFormat(spec.kind);
  const files = await chainFiles(spec.places);
  const gathering = new Gathering(format, files, spec);
  const rooms = [new Room(), new Room()] as const;
  // While one file is looked through, the next is read.
  let ahead = wholeFile(files[0], rooms[0]);
  for (const [number, file] of files.entries()) {
    const whole = await ahead;
    ahead = wholeFile(files[number + 1], number % 2 === 0 ? rooms[1] : rooms[0]);
    // Whoever stops at this file does not wait for the next.
    ahead.catch(() => undefined);
    await gathering.read(number, file, whole, signal);
  }
  return gathering.index();
}

/** The bytes of a plain file of usual size; others come in chunks. */
async function wholeFile(file: ChainFile | undefined, room: Room): Promise<Buffer | undefined> {
  if (file === undefined || file.compression !== "none" || file.version.size > WHOLE_FILE_BYTES_MAX) return undefined;
  using plain = new PlainFile(file.version);
  const bytes = room.of(Number(file.version.size));
  return bytes.subarray(0, await plain.read(bytes, 0));
}

function chunksOf({ version, compression }: ChainFile, signal: AbortSignal | undefined): AsyncIterable<Buffer> {
  return compression === "none"
    ? plainChunks(version, signal)
    : chainBytes(new SourceFile(version), compression, { signal });
}

interface Waiting {
  readonly head: BlockHead | undefined;
  readonly of: string | undefined;
  readonly texts: readonly (TextPlace | undefined)[];
}

class Gathering {
  private readonly format: ChainFormat;
  private readonly files: readonly ChainFile[];
  private readonly spec: ChainSpec;
  private readonly found: BlockTableWriter;
  /** Parts that lack another one. */
  private waiting: Waiting[] = [];
  /** The part before, if it may belong to the next one of the same file. */
  private last: Waiting | undefined;
  /** Parts that follow each other, of which one says that it belongs to another block. */
  private readonly doubtful: (readonly [Waiting, Waiting])[] = [];
  private said: string | null = null;

  constructor(format: ChainFormat, files: readonly ChainFile[], spec: ChainSpec) {
    this.format = format;
    this.files = files;
    this.spec = spec;
    this.found = new BlockTableWriter(format);
  }

  async read(
    number: number,
    file: ChainFile,
    whole: Buffer | undefined,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    signal?.throwIfAborted();
    const { path } = file.version;
    const chunks = whole === undefined ? chunksOf(file, signal) : [whole];
    this.last = undefined;
    let found = 0;
    for await (const value of jsonValues(chunks)) {
      if ("fault" in value) throw faultyValue(path, value);
      const { bytes, from, to, offset, known } = value;
      const parts = this.format.scan(bytes, { from, to }, basename(path), known);
      if (typeof parts === "string") throw malformedBlock(path, offset, parts);
      for (const part of parts) this.add(path, number, bytes, offset - from, part);
      found++;
    }
    if (found === 0) throw malformedBlock(path, 0, "the file is empty");
  }

  index(): BlockIndex {
    this.joinByHash();
    this.joinDoubtful();
    const [lone] = this.waiting;
    if (lone !== undefined) throw this.incomplete(lone);
    const { from, to } = this.spec;
    const all = this.found.table();
    const blocks = all.sorted((number) => (from === null || number >= from) && (to === null || number <= to));
    this.check(blocks, all);
    let bytes = 0;
    for (let row = 0; row < blocks.length; row++) bytes += blocks.sizeBytes(row);
    return { files: this.files, blocks: blocks.data, chain: this.spec.chain ?? this.said, said: this.said, bytes };
  }

  private add(path: string, file: number, bytes: Uint8Array, base: number, part: BlockPart): void {
    const texts = part.texts.map((text) => text && { file, from: base + text.from, to: base + text.to });
    for (const text of part.texts) {
      if (text === undefined || isUtf8(bytes.subarray(text.from, text.to))) continue;
      throw malformedBlock(path, base + text.from, "it is not UTF-8");
    }
    const size = part.texts.reduce((sum, text) => sum + (text === undefined ? 0 : text.to - text.from), 0);
    if (size > ROW_BYTES_MAX)
      throw overLimit(path, String(base), `a block of more than ${ROW_BYTES_MAX} bytes with what belongs to it`);
    const [main] = part.texts;
    if (this.said === null && main !== undefined) this.said = this.format.chainOf(bytes, main) ?? null;
    const waiting: Waiting = { head: part.head, of: part.of, texts };
    if (texts.includes(undefined)) this.join(waiting);
    else this.take(waiting);
  }

  /** Two parts that follow each other belong together, when together they are a block. */
  private join(part: Waiting): void {
    const before = this.last;
    if (before !== undefined && fit(before, part) && saysOther(before, part)) this.doubtful.push([before, part]);
    else if (before !== undefined && fit(before, part)) {
      this.last = undefined;
      this.waiting.splice(this.waiting.indexOf(before), 1);
      this.take(joined(before, part));
      return;
    }
    this.waiting.push(part);
    this.last = part;
    if (this.waiting.length > CHAIN_BLOCKS_MAX) throw this.tooMany();
  }

  /** What stands in another file, or further away, is found by the hash that it names. */
  private joinByHash(): void {
    const blocks = new Map<string, Waiting>();
    for (const part of this.waiting) if (part.head !== undefined) blocks.set(part.head.hash, part);
    const done = new Set<Waiting>();
    for (const part of this.waiting) {
      const block = part.head === undefined && part.of !== undefined ? blocks.get(part.of) : undefined;
      if (block === undefined || done.has(block) || !fit(block, part)) continue;
      done.add(block).add(part);
      this.take(joined(block, part));
    }
    this.waiting = this.waiting.filter((part) => !done.has(part));
  }

  /** Neighbours that are still alone belong together after all: no hash commits to what a part says of its block. */
  private joinDoubtful(): void {
    if (this.doubtful.length === 0) return;
    const alone = new Set(this.waiting);
    for (const [before, part] of this.doubtful)
      if (alone.has(before) && alone.has(part)) {
        alone.delete(before);
        alone.delete(part);
        this.take(joined(before, part));
      }
    this.waiting = [...alone];
  }

  private take({ head, texts }: Waiting): void {
    this.found.push(head as BlockHead, texts as TextPlace[]);
    if (this.found.length > CHAIN_BLOCKS_MAX) throw this.tooMany();
  }

  /** Looks for blocks that are missing or there twice; `all` has those outside of the range as well. */
  private check(blocks: BlockTable, all: BlockTable): void {
    const { from, to } = this.spec;
    if (blocks.length === 0)
      throw missingBlock(from ?? to ?? 0, all.length === 0 ? "there is no block" : `the blocks are ${span(all)}`);
    const first = blocks.head(0);
    let last = first;
    for (let row = 1; row < blocks.length; row++) {
      const before = last;
      last = blocks.head(row);
      if (before.number === last.number)
        throw duplicateBlock(last.number, this.placeOf(blocks, row - 1), this.placeOf(blocks, row));
      const gap = this.format.gap(before, last);
      if (gap !== undefined) throw missingBlock(gap.missing, `${before.number} is followed by ${last.number}`);
    }
    if (from !== null && this.format.gap({ ...first, number: from - 1 }, first) !== undefined)
      throw missingBlock(from, `the blocks begin with ${first.number}`);
    if (to === null || last.number === to) return;
    // The parent of the first block behind the range tells whether blocks at its end are missing.
    const end = firstBehind(all, to) ?? { ...last, number: to + 1, parentNumber: to };
    if (this.format.gap(last, end) !== undefined)
      throw missingBlock(last.number + 1, `the blocks end with ${last.number}`);
  }

  private placeOf(blocks: BlockTable, row: number): string {
    const [at] = blocks.texts(row);
    return at === undefined ? "?" : `${this.files[at.file]?.version.path ?? "?"} at byte ${at.from}`;
  }

  private incomplete({ head, of, texts }: Waiting): Error {
    const lacks = this.format.texts.filter((_, i) => texts[i] === undefined).join(", ");
    const at = texts.find((text) => text !== undefined);
    const file = this.files[at?.file ?? 0]?.version.path ?? "?";
    const what =
      head === undefined
        ? `something without ${lacks}${of === undefined ? "" : ` that says it belongs to block ${of}`}`
        : `block ${head.number} without ${lacks}`;
    return incompleteBlock(file, at?.from ?? 0, what);
  }

  private tooMany(): Error {
    return overLimit(this.spec.places.join(", "), "blocks", `more than ${CHAIN_BLOCKS_MAX} blocks`);
  }
}

/** True when each has what the other lacks. */
function fit(one: Waiting, other: Waiting): boolean {
  return (
    (one.head === undefined) !== (other.head === undefined) &&
    one.texts.every((text, i) => (text === undefined) !== (other.texts[i] === undefined))
  );
}

/** True when the part beside a block says that it belongs to a block of another hash. */
function saysOther(one: Waiting, other: Waiting): boolean {
  const [head, of] = one.head === undefined ? [other.head, one.of] : [one.head, other.of];
  return of !== undefined && of !== head?.hash;
}

function joined(one: Waiting, other: Waiting): Waiting {
  return { head: one.head ?? other.head, of: undefined, texts: one.texts.map((text, i) => text ?? other.texts[i]) };
}

function firstBehind(blocks: BlockTable, last: number): BlockHead | undefined {
  let first: number | undefined;
  for (let row = 0; row < blocks.length; row++) {
    const number = blocks.number(row);
    if (number > last && (first === undefined || number < blocks.number(first))) first = row;
  }
  return first === undefined ? undefined : blocks.head(first);
}

function span(blocks: BlockTable): string {
  let low = Number.MAX_SAFE_INTEGER;
  let high = 0;
  for (let row = 0; row < blocks.length; row++) {
    low = Math.min(low, blocks.number(row));
    high = Math.max(high, blocks.number(row));
  }
  return `${low} to ${high}`;
}

function faultyValue(path: string, { offset, fault }: ValueFault): Error {
  if (fault === "large") return overLimit(path, String(offset), "a value of more than 256 MiB: write one block a line");
  const why = fault === "cut" ? "the JSON is cut short" : "it is not JSON";
  return malformedBlock(path, offset, why);
}
