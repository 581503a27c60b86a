import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { BlockHead, ChainFormat } from "./kind.ts";
import type { FetchedBlock } from "./rpc.ts";

/** Blocks of one folder: more make listing slow. */
const FOLDER_BLOCKS = 1000;

/**
 * Fetched blocks in the folder of one chain, one file each, so that a run that was stopped goes on, and the nodes of a process read
 * what was fetched once. A block appears whole or not at all.
 */
export class BlockFiles {
  readonly folder: string;
  private readonly format: ChainFormat;
  private readonly known = new Set<number>();

  private constructor(folder: string, format: ChainFormat) {
    this.folder = folder;
    this.format = format;
  }

  /** Opens the folder, which it creates where it is not there. */
  static async open(folder: string, format: ChainFormat): Promise<BlockFiles> {
    const files = new BlockFiles(folder, format);
    await mkdir(folder, { recursive: true });
    for (const entry of await readdir(folder, { recursive: true })) {
      const number = /(?:^|[\\/])(\d+)\.json$/.exec(entry)?.[1];
      if (number !== undefined) files.known.add(Number(number));
      else if (entry.endsWith(".tmp")) await rm(join(folder, entry), { force: true });
    }
    return files;
  }

  has(number: number): boolean {
    return this.known.has(number);
  }

  /** The number of the block whose file it is, if it is one of these. */
  numberOf(path: string): number | undefined {
    const number = Number(/(\d+)\.json$/.exec(path)?.[1] ?? Number.NaN);
    return this.known.has(number) && this.pathOf(number) === path ? number : undefined;
  }

  /** The files of blocks. */
  places(numbers: readonly number[]): readonly string[] {
    return numbers.map((number) => this.pathOf(number));
  }

  /** The head of a kept block; `undefined` where there is none, or its file is damaged. */
  async head(number: number): Promise<BlockHead | undefined> {
    if (!this.known.has(number)) return undefined;
    const bytes = await readFile(this.pathOf(number)).catch(() => undefined);
    const parts = bytes === undefined ? "" : this.format.scan(bytes, { from: 0, to: bytes.length }, `${number}.json`);
    const head = typeof parts === "string" ? undefined : parts[0]?.head;
    if (head?.number === number) return head;
    await this.drop(number);
    return undefined;
  }

  /** Keeps a block; `flush` so that it survives a power cut, where nobody would fetch it again. */
  async put({ head, json }: FetchedBlock, flush = false): Promise<void> {
    const path = this.pathOf(head.number);
    await mkdir(join(path, ".."), { recursive: true });
    await writeFile(`${path}.tmp`, json, { flush });
    await rename(`${path}.tmp`, path);
    this.known.add(head.number);
  }

  async drop(number: number): Promise<void> {
    this.known.delete(number);
    await rm(this.pathOf(number), { force: true });
  }

  private pathOf(number: number): string {
    return join(this.folder, String(Math.floor(number / FOLDER_BLOCKS)), `${number}.json`);
  }
}
