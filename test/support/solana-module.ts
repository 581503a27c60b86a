import { readFileSync } from "node:fs";
import type { Batch } from "../../src/batch/batch.ts";
import { rowValues } from "../../src/batch/rows.ts";
import { BatchWriter } from "../../src/batch/writer.ts";
import { builtInModule } from "../../src/config/built-in-module.ts";
import type { Lane, ModuleHandle } from "../../src/sandbox/port.ts";
import { SOLANA } from "../../src/sources/solana/format.ts";
import { slotHash } from "./slots.ts";

/** A block for a row of the source. */
export interface SlotRow {
  readonly slot: number;
  readonly blockhash: string;
  readonly parent: string;
  readonly parentSlot: number;
  readonly block: string;
}

/** A block of these transactions, whose parent is the slot before, and its row. */
export function slotRow(slot: number, transactions: readonly unknown[], more: object = {}): SlotRow {
  const block = JSON.stringify({
    blockTime: 1_700_000_000 + slot,
    transactions,
    blockhash: slotHash(slot),
    parentSlot: slot - 1,
    previousBlockhash: slotHash(slot - 1),
    blockHeight: slot,
    ...more,
  });
  return { slot, blockhash: slotHash(slot), parent: slotHash(slot - 1), parentSlot: slot - 1, block };
}

/** The batch of rows of a source of Solana. */
export function slotBatch(rows: readonly SlotRow[]): Batch {
  const writer = new BatchWriter(SOLANA.schema);
  for (const { slot, blockhash, parent, parentSlot, block } of rows)
    writer.push([BigInt(slot), blockhash, parent, BigInt(parentSlot), block]);
  return writer.take();
}

const loaded = new WeakMap<Lane, Map<string, Promise<ModuleHandle>>>();

/** Loads the module that comes with the runtime, as the build has made it; once for equal settings. */
export function loadSolana(lane: Lane, settings: Readonly<Record<string, string>>): Promise<ModuleHandle> {
  const ofLane = loaded.get(lane) ?? new Map<string, Promise<ModuleHandle>>();
  loaded.set(lane, ofLane);
  const name = JSON.stringify(settings);
  const module = ofLane.get(name) ?? load(lane, settings);
  ofLane.set(name, module);
  return module;
}

async function load(lane: Lane, settings: Readonly<Record<string, string>>): Promise<ModuleHandle> {
  const module = builtInModule("ipdm:solana");
  if (module === undefined) throw new Error("the runtime comes with no module ipdm:solana");
  return lane.load({
    ...module.policy,
    bytes: new Uint8Array(readFileSync(module.file.path)),
    cid: "bafysolana",
    abi: "ipdm/1",
    kind: "rows",
    columns: null,
    timeoutMs: 30_000,
    options: { entry: null, settings },
  });
}

/** What the module makes of a batch: rows by column name; bytes in hexadecimal. */
export async function tableRows(module: ModuleHandle, batch: Batch): Promise<Record<string, unknown>[]> {
  const output = await module.process(batch, { firstRow: 0, seed: new Uint8Array(32) });
  const names = output.schema.fields.map(({ name }) => name);
  return Array.from({ length: output.rows }, (_, row) => {
    const found: Record<string, unknown> = {};
    for (const [column, value] of rowValues(output, row).entries())
      found[names[column] ?? ""] = value instanceof Uint8Array ? Buffer.from(value).toString("hex") : value;
    return found;
  });
}
