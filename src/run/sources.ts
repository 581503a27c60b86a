import type { SourceBatches } from "../../actors/node/input.ts";
import type { Batch } from "../batch/batch.ts";
import type { Config, FileSourceConfig, SourceConfig } from "../config/config.ts";
import { filesOf, isChainSource } from "../config/config.ts";
import { atPlace } from "../config/place.ts";
import { IpdmError, located } from "../core/errors.ts";
import { sha256 } from "../node.ts";
import { isContentOf, type SourceContent } from "../plan/anchor.ts";
import type { SourceFacts } from "../plan/plan.ts";
import type { RunPlan } from "../runtime/plan.ts";
import { followedBatches } from "../sources/chain/followed-blocks.ts";
import { openChain } from "../sources/chain/open.ts";
import { openGenerated } from "../sources/generated/open.ts";
import { openSource, type TableSource } from "../sources/port.ts";
import { anchoredContent, type ChainInput, isFollowed } from "./chains.ts";
import type { FollowedChain } from "./following.ts";
import { RowGuess, type RowTotal } from "./row-guess.ts";

/** Who is told what reading the sources shows. */
export interface SourceObserver {
  /** How many rows a source has, or seems to have. */
  rows(source: string, total: RowTotal): void;
  /** Columns that are declared and that no row has. */
  absent(source: string, columns: readonly string[]): void;
}

/** Opens a configured source. */
async function openConfigured(
  source: SourceConfig,
  chains: Chains,
  signal: AbortSignal,
): Promise<TableSource<SourceContent>> {
  if (source.kind === "file") return openFile(source, signal);
  if (source.kind === "generated") return openGenerated(source.spec, { signal });
  const { spec, known } = inputOf(source, chains) as ChainInput;
  return openChain(spec, { signal, known });
}

type Chains = ReadonlyMap<string, ChainInput | FollowedChain>;

function inputOf({ name }: SourceConfig, chains: Chains): ChainInput | FollowedChain {
  const input = chains.get(name);
  if (input === undefined) throw new IpdmError("INVARIANT", `chain source ${name} was prepared`);
  return input;
}

function openFile(
  { file, format, columns }: FileSourceConfig,
  signal: AbortSignal,
): Promise<TableSource<SourceContent>> {
  return openSource({ file: file.path, format, columns }, { signal });
}

/** Schema and content of every source, and the rows of those whose formats tell. */
export async function sourceFacts(
  config: Config,
  chains: Chains,
  signal: AbortSignal,
): Promise<{ facts: Map<string, SourceFacts>; rows: Map<string, number> }> {
  const facts = new Map<string, SourceFacts>();
  const rows = new Map<string, number>();
  for (const source of config.sources) {
    if (isFollowed(source)) {
      const { chain, from, format } = inputOf(source, chains) as FollowedChain;
      facts.set(source.name, { schema: format.schema, content: { kind: source.kind, chain, from, isFollowed: true } });
      continue;
    }
    await using opened = await located(`sources.${source.name}`, () =>
      atPlace(["sources", source.name, "columns"], () => openConfigured(source, chains, signal)),
    );
    const content = await opened.content(signal);
    const known = "hashes" in content ? anchoredContent(content, inputOf(source, chains) as ChainInput) : content;
    facts.set(source.name, { schema: opened.schema, content: known });
    if (opened.rows !== undefined) rows.set(source.name, opened.rows);
  }
  return { facts, rows };
}

/**
 * One node's own reading of the sources: it opens each itself and checks, before the first row, that it holds what the plan
 * names. `observer` is told what reading shows. Throws `INPUT_CHANGED` when it does not.
 */
export function sourceReader(config: Config, chains: Chains, plan: RunPlan, observer?: SourceObserver) {
  return (name: string, batchRows: number, fromRow: number, signal: AbortSignal): SourceBatches => {
    const chain = chains.get(name);
    if (chain === undefined || !("follower" in chain)) return read(name, batchRows, fromRow, signal);
    return followedBatches(chain.follower, chain.files, chain.format, fromRow, signal);
  };

  async function* read(name: string, batchRows: number, fromRow: number, signal: AbortSignal): AsyncGenerator<Batch> {
    const source = config.sources.find((candidate) => candidate.name === name);
    const input = plan.inputs.find((candidate) => candidate.name === name);
    if (source === undefined || input === undefined) throw new IpdmError("INVARIANT", `source ${name} is in the plan`);
    await using opened = await openConfigured(source, chains, signal);
    const content = await opened.content(signal);
    if (!isContentOf(input.anchor, content, sha256)) throw changed(source);
    const guess = new RowGuess("bytes" in content ? content.bytes : 0, fromRow);
    const onRead = (bytes: number): void => {
      const rows = guess.read(bytes);
      if (rows !== undefined) observer?.rows(name, { rows, isExact: false });
    };
    const onAbsent = (columns: readonly string[]): void => observer?.absent(name, columns);
    const batches = opened.batches({ batchRows, fromRow, digests: true, signal, onRead, onAbsent });
    try {
      // A text file tells its columns with its first row.
      const first = await atPlace(["sources", name, "columns"], () => batches.next());
      for (let next = first; next.done !== true; next = await batches.next()) {
        guess.took(next.value.rows);
        yield next.value;
      }
      observer?.rows(name, { rows: guess.rows, isExact: true });
    } finally {
      await batches.return?.();
    }
  }
}

function changed(source: SourceConfig): IpdmError {
  const [first] = filesOf(source);
  const what = isChainSource(source) ? "came to hold other blocks" : "changed";
  return new IpdmError("INPUT_CHANGED", `${first?.written ?? source.name} ${what} while the run was reading it`, {
    kind: "verification",
    where: first?.path ?? source.name,
    hint: "run again once it is complete",
  });
}
