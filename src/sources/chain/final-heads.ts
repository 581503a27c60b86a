import { appendFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { HEADERS_MAX } from "../../consensus/chain-anchor.ts";
import { readJson } from "../../core/json.ts";
import type { BlockHead } from "./kind.ts";

/**
 * Heads of the final blocks of a chain from one block on, in order, in a file beside the blocks: one JSON line each. What stands in
 * it may have been certified, so it never changes; half a line at its end is of a process that was killed.
 */
export class FinalHeads {
  readonly heads: BlockHead[];
  private readonly path: string;

  private constructor(path: string, heads: BlockHead[]) {
    this.path = path;
    this.heads = heads;
  }

  static async open(folder: string, from: number): Promise<FinalHeads> {
    const path = join(folder, `final-from-${from}.ndjson`);
    const text = await readFile(path, "utf8").catch(() => "");
    const whole = text.slice(0, text.lastIndexOf("\n") + 1);
    if (whole.length !== text.length) await writeFile(path, whole);
    const lines = whole === "" ? [] : whole.trimEnd().split("\n");
    return new FinalHeads(
      path,
      lines.map((line) => readJson(line) as BlockHead),
    );
  }

  get last(): BlockHead | undefined {
    return this.heads.at(-1);
  }

  /** Of more blocks than a receipt shows the headers of, the further ones are not kept. */
  async append(more: readonly BlockHead[]): Promise<void> {
    const room = HEADERS_MAX - this.heads.length;
    const heads = more.map((head, i) => (i < room ? head : { ...head, header: undefined }));
    await appendFile(this.path, heads.map((head) => `${JSON.stringify(head)}\n`).join(""), { flush: true });
    this.heads.push(...heads);
  }
}
