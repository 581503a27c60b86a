import { join } from "node:path";
import { isEndpoint } from "../config/chain-source.ts";
import type { ChainSourceConfig, Config } from "../config/config.ts";
import { IpdmError, located } from "../core/errors.ts";
import { BlockFiles } from "../sources/chain/block-files.ts";
import { Endpoints } from "../sources/chain/endpoints.ts";
import { fetchRange } from "../sources/chain/fetch.ts";
import { chainFormat } from "../sources/chain/formats.ts";
import type { ChainContent, ChainSpec } from "../sources/chain/kind.ts";

/** A chain source as its files say it: those that the user named, or those that what endpoints gave is kept in. */
export interface ChainInput {
  readonly spec: ChainSpec;
  /** The block that several endpoints agree on, where no hash was given. */
  readonly compared: { readonly block: number; readonly endpoints: number } | null;
}

/** What fetching reports to. */
export interface FetchWatch {
  readonly signal: AbortSignal;
  readonly onFetch?: (source: string, there: number, of: number) => void;
}

/**
 * The chain inputs of a configuration, by source. What is read from endpoints is fetched first, into the folder `chain` of the data
 * folder, where another run finds it. Throws what `fetchRange` does, and `RANGE_MISSING` (kind `config`).
 */
export async function chainInputs(
  config: Config,
  dataDir: string,
  watch: FetchWatch,
): Promise<ReadonlyMap<string, ChainInput>> {
  const inputs = new Map<string, ChainInput>();
  for (const source of config.sources) {
    if (source.kind === "file") continue;
    const isFetched = source.places.some(isEndpoint);
    const input = isFetched
      ? await located(`sources.${source.name}`, () => fetched(source, dataDir, watch))
      : {
          spec: chainSpec(
            source,
            source.places.map(({ path }) => path),
          ),
          compared: null,
        };
    inputs.set(source.name, input);
  }
  return inputs;
}

function chainSpec({ kind, from, to, anchor, chain }: ChainSourceConfig, places: readonly string[]): ChainSpec {
  return { kind, places, from, to, anchor, chain };
}

async function fetched(
  source: ChainSourceConfig,
  dataDir: string,
  { signal, onFetch }: FetchWatch,
): Promise<ChainInput> {
  const { name, kind, places, from, to } = source;
  if (from === null) {
    throw new IpdmError("RANGE_MISSING", `sources.${name} has no range.from: an endpoint has all blocks of its chain`, {
      kind: "config",
      where: `sources.${name}`,
      hint: "add range: { from: <first block>, to: <last block> }",
    });
  }
  if (to === null) throw new IpdmError("RANGE_MISSING", "not yet");
  const endpoints = new Endpoints(
    kind,
    places.map(({ path }) => path),
    source.endpoints,
  );
  const chain = source.chain ?? (await endpoints.chain(signal));
  const format = chainFormat(kind);
  const files = await BlockFiles.open(join(dataDir, "chain", kind, folderName(chain)), format);
  const onProgress = (there: number, of: number): void => onFetch?.(name, there, of);
  const spec = { ...chainSpec(source, []), chain };
  const range = await fetchRange({ endpoints, files, format, signal, onProgress }, spec, from, to);
  const last = range.index.blocks.at(-1)?.number ?? to;
  const isCompared = endpoints.count > 1 && endpoints.mode === "compare";
  return {
    spec: { ...spec, places: range.places },
    compared: isCompared ? { block: last, endpoints: endpoints.count } : null,
  };
}

/** A chain's name may be anything; a folder's may not. */
function folderName(chain: string): string {
  return encodeURIComponent(chain).replaceAll(".", "%2E");
}

/** What identifies a chain input, with the block that endpoints agree on as its anchor where none was given. */
export function anchoredContent(content: ChainContent, { compared }: ChainInput): ChainContent {
  const hash = content.hashes.at(-1);
  if (content.anchor !== null || compared === null || hash === undefined) return content;
  return { ...content, anchor: { ...compared, hash, by: "compared" } };
}
