import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ChainAnchor } from "../consensus/chain-anchor.ts";
import { BlockFiles } from "../sources/chain/block-files.ts";
import { Endpoints } from "../sources/chain/endpoints.ts";
import { fetchRange } from "../sources/chain/fetch.ts";
import { chainFormat } from "../sources/chain/formats.ts";

/** Blocks that an audit gets from endpoints, in a temporary folder for as long as it takes. */
export class FetchedInputs {
  private folder: string | undefined;
  private readonly fetched = new Map<string, Promise<readonly string[]>>();

  /** The files of an anchor's blocks, fetched once. Throws what {@link fetchRange} does. */
  places(anchor: ChainAnchor, url: string, signal: AbortSignal): Promise<readonly string[]> {
    const known = this.fetched.get(url) ?? this.fetch(anchor, url, signal);
    this.fetched.set(url, known);
    return known;
  }

  /** Removes the folder. */
  async close(): Promise<void> {
    if (this.folder !== undefined) await rm(this.folder, { recursive: true, force: true });
  }

  private async fetch(anchor: ChainAnchor, url: string, signal: AbortSignal): Promise<readonly string[]> {
    const { kind, chain, from, to } = anchor;
    const format = chainFormat(kind);
    this.folder ??= await mkdtemp(join(tmpdir(), "ipdm-blocks-"));
    const files = await BlockFiles.open(join(this.folder, String(this.fetched.size)), format);
    const endpoints = new Endpoints(kind, [url], "compare");
    const spec = { kind, places: [], from, to, anchor: null, chain };
    return (await fetchRange({ endpoints, files, format, signal }, spec, from, to ?? from)).places;
  }
}
