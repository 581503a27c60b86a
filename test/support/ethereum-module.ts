import { readFile } from "node:fs/promises";
import type { Batch } from "../../src/batch/batch.ts";
import { schemaOf } from "../../src/batch/schema.ts";
import { BatchWriter } from "../../src/batch/writer.ts";
import { builtInModule, builtInReference } from "../../src/config/built-in-module.ts";
import type { Lane, ModuleHandle } from "../../src/sandbox/port.ts";
import { rowsOf } from "./rows.ts";

/** A block and its receipts as JSON-RPC gives them, to be changed at will. */
export interface EthereumBlock {
  // Whatever a JSON may hold: tests tamper with it.
  block: Record<string, unknown> & { number: string; hash: string; parentHash: string };
  receipts: Record<string, unknown>[];
}

/** A row of the source: texts may be given as they are. */
export interface BlockRow {
  readonly number: bigint;
  readonly hash: string;
  readonly parent: string;
  readonly block: string;
  readonly receipts: string;
}

const SCHEMA = schemaOf([
  { name: "number", type: "u64", nullable: false },
  { name: "hash", type: "fixed", width: 32, nullable: false },
  { name: "parent", type: "fixed", width: 32, nullable: false },
  { name: "block", type: "utf8", nullable: false },
  { name: "receipts", type: "utf8", nullable: false },
]);

const CONTEXT = { firstRow: 0, seed: new Uint8Array(32) };

/** Loads a module that comes with the runtime, with settings. */
export async function loadBuiltIn(
  lane: Lane,
  name: string,
  settings: Readonly<Record<string, string>>,
  onLog?: (line: string) => void,
): Promise<ModuleHandle> {
  const module = builtInModule(builtInReference(name));
  if (module === undefined) throw new Error(`no module ${name}`);
  const { file, policy, abi } = module;
  const bytes = new Uint8Array(await readFile(file.path));
  const spec = {
    ...policy,
    bytes,
    cid: name,
    abi,
    columns: null,
    timeoutMs: 60_000,
    options: { entry: null, settings },
  };
  return lane.load({ ...spec, kind: "rows", ...(onLog === undefined ? {} : { onLog }) });
}

/** The row of a block as its source gives it. */
export function blockRow({ block, receipts }: EthereumBlock, changes: Partial<BlockRow> = {}): BlockRow {
  return {
    number: BigInt(block.number),
    hash: block.hash,
    parent: block.parentHash,
    block: JSON.stringify(block),
    receipts: JSON.stringify(receipts),
    ...changes,
  };
}

/** A batch of the source. */
export function blockBatch(rows: readonly BlockRow[]): Batch {
  const writer = new BatchWriter(SCHEMA);
  for (const { number, hash, parent, block, receipts } of rows)
    writer.push([number, bytesOf(hash), bytesOf(parent), block, receipts]);
  return writer.take();
}

/** What a module makes of a batch. */
export async function callOf(module: ModuleHandle, batch: Batch): Promise<Batch> {
  return module.process(batch, CONTEXT);
}

/** Its rows as objects. */
export async function rowsMade(module: ModuleHandle, batch: Batch): Promise<Record<string, unknown>[]> {
  return rowsOf(await callOf(module, batch));
}

/** Bytes of a text of hexadecimal digits with 0x before them. */
export function bytesOf(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text.slice(2), "hex"));
}

/** The text of bytes, as {@link bytesOf} reads it. */
export function hexOf(bytes: unknown): string {
  return `0x${Buffer.from(bytes as Uint8Array).toString("hex")}`;
}

/** The kept blocks of every era, made by other people's code (bench/chain/eras.ts). */
export async function eraBlocks(): Promise<readonly (EthereumBlock & { readonly era: string })[]> {
  const text = await readFile(new URL("./era-blocks.json", import.meta.url), "utf8");
  return JSON.parse(text) as readonly (EthereumBlock & { readonly era: string })[];
}
