import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type FileVerdict, verifyReceiptFile } from "../../src/audit/verify-file.ts";
import type { ModuleEntryBody } from "../../src/consensus/module-entry.ts";
import { Catalogue } from "../../src/registry/catalogue.ts";
import { openCatalogue } from "../../src/registry/catalogue-lease.ts";
import type { RunNotice, RunOptions, RunSummary } from "../../src/run/options.ts";
import { runTampered } from "../../src/run/run.ts";
import { entryOf } from "./catalogue.ts";
import type { TestFolder } from "./folder.ts";

/** Rows of a slot, where batches are of one row. */
export const SLOT = 256;

/** A pipeline in a folder of its own, with a catalogue that has version 1.2.0. */
export class LivePlace {
  readonly catalogueDir: string;
  readonly outDir: string;
  readonly configPath: string;
  readonly notices: RunNotice[] = [];
  readonly rows: number;
  private readonly dir: string;
  private readonly entry: Partial<ModuleEntryBody>;

  constructor(folder: TestFolder, rows: number, entry: Partial<ModuleEntryBody> = {}) {
    this.dir = folder.fresh("live");
    this.catalogueDir = join(this.dir, "shelf");
    this.outDir = join(this.dir, "out");
    this.configPath = join(this.dir, "ipdm.yaml");
    this.rows = rows;
    this.entry = entry;
  }

  /** Writes configuration and input, and publishes the version that it begins with. `more`: a second task, `again`; `domain`: further keys. */
  async prepare(first: Uint8Array, more = "", domain = ""): Promise<this> {
    const rows = Array.from({ length: this.rows }, (_, row) => row);
    await mkdir(this.dir);
    await writeFile(join(this.dir, "numbers.csv"), `n\n${rows.join("\n")}\n`);
    await writeFile(
      this.configPath,
      `name: numbers
domain: { replicas: 1${domain} }
sources:
  numbers: { file: ./numbers.csv, columns: { n: i64 } }
tasks:
  added: { module: late@^1.2, input: numbers, upgrade: live }
${more}outputs:
  table: { input: ${more === "" ? "added" : "again"}, file: added.csv }
`,
    );
    await this.publish(first, "1.2.0");
    // Published by the catalogue's own key, so that modules run in threads, which start faster.
    await writeFile(join(this.catalogueDir, "publisher.key"), "01".repeat(32));
    return this;
  }

  /** As {@link publish}, once no other process looks. */
  async publishWhenFree(bytes: Uint8Array, version: string): Promise<void> {
    await using catalogue = await openCatalogue(this.catalogueDir);
    await catalogue.add(entryOf(bytes, { version, ...this.entry }), bytes);
  }

  async publish(bytes: Uint8Array, version: string, change: Partial<ModuleEntryBody> = {}): Promise<void> {
    await using catalogue = await Catalogue.open(this.catalogueDir, { create: true });
    await catalogue.add(entryOf(bytes, { version, ...this.entry, ...change }), bytes);
  }

  /** Runs it; `published` are called before the looks of that number (slot), counted from 1. */
  run(
    published: Readonly<Record<number, () => Promise<void>>> = {},
    options: Partial<RunOptions> = {},
  ): Promise<RunSummary> {
    let looks = 0;
    const { catalogueDir, outDir, configPath } = this;
    const onNotice = (notice: RunNotice): void => void this.notices.push(notice);
    return runTampered({ configPath, catalogueDir, outDir, batchRows: 1, onNotice, ...options }, [], async () =>
      published[++looks]?.(),
    );
  }

  async numbers(): Promise<number[]> {
    const text = await readFile(join(this.outDir, "added.csv"), "utf8");
    return text.trim().split("\n").slice(1).map(Number);
  }

  verdict(): Promise<FileVerdict> {
    return verifyReceiptFile(join(this.outDir, "receipt.car"));
  }
}

/** What comes out when versions that add so much run from these rows on. */
export function added(rows: number, ...versions: readonly (readonly [from: number, number: number])[]): number[] {
  const numberAt = (row: number): number => versions.findLast(([from]) => from <= row)?.[1] ?? 0;
  return Array.from({ length: rows }, (_, row) => row + numberAt(row));
}
