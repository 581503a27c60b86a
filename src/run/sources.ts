import type { Batch } from "../batch/batch.ts";
import type { Config, SourceConfig } from "../config/config.ts";
import { atPlace } from "../config/place.ts";
import { equalBytes } from "../core/bytes.ts";
import { IpdmError, located } from "../core/errors.ts";
import type { SourceFacts } from "../plan/plan.ts";
import type { RunPlan } from "../runtime/plan.ts";
import { openSource, type Source } from "../sources/port.ts";
import { RowGuess, type RowTotal } from "./row-guess.ts";

/** Who is told what reading the sources shows. */
export interface SourceObserver {
  /** How many rows a source has, or seems to have. */
  rows(source: string, total: RowTotal): void;
  /** Columns that are declared and that no row has. */
  absent(source: string, columns: readonly string[]): void;
}

/** Opens a configured source. */
export function openConfigured(source: SourceConfig, signal: AbortSignal, file = source.file.path): Promise<Source> {
  return openSource({ file, format: source.format, columns: source.columns }, { signal });
}

/** Schema, size and digest of every source, and the rows of those whose formats tell. Files may be replaced by name. */
export async function sourceFacts(
  config: Config,
  signal: AbortSignal,
  replaced: Readonly<Record<string, string>> = {},
): Promise<{ facts: Map<string, SourceFacts>; rows: Map<string, number> }> {
  const facts = new Map<string, SourceFacts>();
  const rows = new Map<string, number>();
  for (const source of config.sources) {
    await using opened = await located(`sources.${source.name}`, () =>
      atPlace(["sources", source.name, "columns"], () => openConfigured(source, signal, replaced[source.name])),
    );
    facts.set(source.name, { schema: opened.schema, content: await opened.content(signal) });
    if (opened.rows !== undefined) rows.set(source.name, opened.rows);
  }
  return { facts, rows };
}

/**
 * One node's own reading of the sources: it opens each file itself and checks, before the first row, that the file is the one
 * that the plan names. `observer` is told what reading shows. Throws `INPUT_CHANGED` when it is not.
 */
export function sourceReader(config: Config, plan: RunPlan, observer?: SourceObserver) {
  return (name: string, batchRows: number, fromRow: number, signal: AbortSignal): AsyncIterator<Batch> =>
    read(name, batchRows, fromRow, signal);

  async function* read(name: string, batchRows: number, fromRow: number, signal: AbortSignal): AsyncGenerator<Batch> {
    const source = config.sources.find((candidate) => candidate.name === name);
    const input = plan.inputs.find((candidate) => candidate.name === name);
    if (source === undefined || input === undefined) throw new IpdmError("INVARIANT", `source ${name} is in the plan`);
    await using opened = await openConfigured(source, signal);
    const content = await opened.content(signal);
    if (!equalBytes(content.sha256, input.anchor.sha256)) {
      throw new IpdmError("INPUT_CHANGED", `${source.file.written} changed while the run was reading it`, {
        kind: "verification",
        where: source.file.path,
        hint: "run again once the file is complete",
      });
    }
    const guess = new RowGuess(content.bytes, fromRow);
    const onRead = (bytes: number): void => {
      const rows = guess.read(bytes);
      if (rows !== undefined) observer?.rows(name, { rows, isExact: false });
    };
    const onAbsent = (columns: readonly string[]): void => observer?.absent(name, columns);
    const batches = opened.batches({ batchRows, fromRow, signal, onRead, onAbsent });
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
