import { hash } from "node:crypto";
import * as dagCbor from "@ipld/dag-cbor";
import { CID } from "multiformats/cid";
import type { IpdmError } from "../../core/errors.ts";
import { type Block, CODEC, checkBlock, cidOfDigest, type Ipld, rawBlock } from "../../dag/block.ts";
import { sandboxError } from "../errors.ts";
import { PAGE_BYTES, STATE_NODE_PAGES } from "../limits.ts";
import { fitsGlobals, type Image, type ImageChange, isZeroPage, type Page, type StateGlobal } from "./image.ts";

/** The state of a stateful module as plain data, to be part of a block. The blocks it links are raw. */
export interface MemoryState {
  /** Pages of the memory. */
  readonly pages: number;
  /** For each {@link STATE_NODE_PAGES} pages a link to the list of their links, in dag-cbor; null where all are zeros. */
  readonly nodes: readonly (CID | null)[];
  /** The mutable globals in order, as an {@link Image} has them. */
  readonly globals: Uint8Array;
}

/** What a saved state of a module is: the data, and of the blocks it links those that the state before had not. */
export interface SavedMemory {
  /** Null before the first call. */
  readonly state: MemoryState | null;
  readonly fresh: readonly Block[];
}

/** A saved state to go on from, and where its blocks are. The data comes from outside. */
export interface MemorySource {
  readonly state: Ipld;
  readonly read: (cid: CID) => Promise<Uint8Array>;
}

/** What a state has to fit. */
export interface StateFace {
  readonly cid: string;
  readonly globals: readonly StateGlobal[];
  /** Pages that a memory begins with, and the most it may have. */
  readonly pagesMin: number;
  readonly pagesMax: number;
}

/**
 * The Merkle tree over the pages of a module's memory: raw blocks of 64 KiB, lists of {@link STATE_NODE_PAGES} links to them,
 * and a list of links to those. A page of zeros has no block, nor has a list of none but such pages. The same memory has the
 * same tree, whatever it was before.
 */
export class MemoryTree {
  private pages: readonly (CID | null)[] = [];
  private nodes: readonly (CID | null)[] = [];
  private state: MemoryState | null = null;

  /** What was saved or loaded last. */
  get last(): MemoryState | null {
    return this.state;
  }

  /** The state after a change. */
  update({ size, dirty, globals }: ImageChange): SavedMemory {
    const fresh: Block[] = [];
    const pages = Array.from({ length: size }, (_, index) => this.pages[index] ?? null);
    const touched = new Set<number>();
    // A list that has become longer is another one, even where the pages that came are zeros.
    if (size > this.pages.length) touched.add(Math.floor(this.pages.length / STATE_NODE_PAGES));
    for (const { index, page, digest } of dirty) {
      pages[index] = digest === null ? null : cidOfDigest(CODEC.raw, digest);
      if (page !== null) fresh.push({ cid: pages[index] as CID, bytes: new Uint8Array(page) });
      touched.add(Math.floor(index / STATE_NODE_PAGES));
    }
    const nodes = Array.from({ length: Math.ceil(size / STATE_NODE_PAGES) }, (_, index) => {
      if (!touched.has(index)) return this.nodes[index] ?? null;
      const block = nodeOf(pages.slice(index * STATE_NODE_PAGES, (index + 1) * STATE_NODE_PAGES));
      const known = this.nodes[index] ?? null;
      if (block !== null && known?.equals(block.cid) !== true) fresh.push(block);
      return block?.cid ?? null;
    });
    this.pages = pages;
    this.nodes = nodes;
    this.state = { pages: size, nodes, globals };
    return { state: this.state, fresh };
  }

  /**
   * Reads a saved state. Everything comes from outside: each block must hash to its CID, there is one form of every state, and
   * it must fit the module. Throws `MODULE_STATE_MALFORMED`, `DAG_CID_MISMATCH`, and what `read` throws.
   */
  static async load(
    source: MemorySource,
    face: StateFace,
  ): Promise<{ readonly tree: MemoryTree; readonly image: Image }> {
    const { pages: size, nodes, globals } = stateOf(source.state, face);
    const tree = new MemoryTree();
    const links: (CID | null)[] = [];
    const pages: Page[] = [];
    for (const [index, node] of nodes.entries()) {
      const count = Math.min(STATE_NODE_PAGES, size - index * STATE_NODE_PAGES);
      const own = node === null ? new Array<null>(count).fill(null) : await listOf(source, node, count, face.cid);
      links.push(...own);
      pages.push(...(await Promise.all(own.map((link) => pageOf(source, link, face.cid)))));
    }
    tree.pages = links;
    tree.nodes = nodes;
    tree.state = { pages: size, nodes, globals };
    return { tree, image: { pages, globals } };
  }
}

function sha256(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(hash("sha256", bytes, "buffer"));
}

/** The block that lists the links of some pages; none for pages of zeros. */
function nodeOf(links: readonly (CID | null)[]): Block | null {
  return links.every((link) => link === null) ? null : rawBlock(sha256, dagCbor.encode(links));
}

function stateOf(value: Ipld, face: StateFace): MemoryState {
  if (typeof value !== "object" || value === null) throw malformed(face.cid, "it is no map");
  const { pages, nodes, globals, ...rest } = value as { readonly [key: string]: Ipld };
  if (Object.keys(rest).length > 0) throw malformed(face.cid, "it holds more than pages, nodes and globals");
  if (typeof pages !== "number" || !Number.isInteger(pages) || pages < face.pagesMin || pages > face.pagesMax)
    throw malformed(
      face.cid,
      `a memory of ${String(pages)} pages is not between ${face.pagesMin} and ${face.pagesMax}`,
    );
  if (!Array.isArray(nodes) || nodes.length !== Math.ceil(pages / STATE_NODE_PAGES))
    throw malformed(face.cid, "the number of its lists does not fit its pages");
  if (!(globals instanceof Uint8Array) || !fitsGlobals(globals, face.globals))
    throw malformed(face.cid, "its globals are not those of the module");
  return { pages, nodes: nodes.map((node: Ipld) => linkOf(node, face.cid)), globals };
}

function linkOf(value: Ipld, module: string): CID | null {
  if (value === null) return null;
  const link = CID.asCID(value);
  if (link === null || link.code !== CODEC.raw) throw malformed(module, "a link is none");
  return link;
}

async function listOf({ read }: MemorySource, cid: CID, count: number, module: string): Promise<(CID | null)[]> {
  const bytes = await read(cid);
  checkBlock(sha256, { cid, bytes });
  let list: unknown;
  try {
    list = dagCbor.decode(bytes);
  } catch {
    throw malformed(module, `${cid.toString()} is no list`);
  }
  if (!Array.isArray(list) || list.length !== count)
    throw malformed(module, `${cid.toString()} is no list of ${count} pages`);
  const links = list.map((link: Ipld) => linkOf(link, module));
  if (nodeOf(links)?.cid.equals(cid) !== true) throw malformed(module, `${cid.toString()} has another form`);
  return links;
}

async function pageOf({ read }: MemorySource, cid: CID | null, module: string): Promise<Page> {
  if (cid === null) return null;
  const bytes = await read(cid);
  checkBlock(sha256, { cid, bytes });
  if (bytes.length !== PAGE_BYTES || isZeroPage(bytes))
    throw malformed(module, `${cid.toString()} is no page with anything in it`);
  const page = new Uint8Array(new SharedArrayBuffer(PAGE_BYTES));
  page.set(bytes);
  return page;
}

function malformed(module: string, what: string): IpdmError {
  return sandboxError("MODULE_STATE_MALFORMED", `this is no state of module ${module}: ${what}`, {
    kind: "verification",
    where: module,
    facts: { module },
  });
}
