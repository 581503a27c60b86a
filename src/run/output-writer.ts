import type { WriteOutput } from "../../actors/node/node-ports.ts";
import { openSink } from "../sinks/port.ts";
import type { LiveOutputs } from "./live-outputs.ts";

/** What writes a run's finished tables to their files; those that grew while the run went on are completed. */
export function outputWriter({
  files,
  live,
  onWritten,
}: {
  readonly files: ReadonlyMap<string, string>;
  readonly live: LiveOutputs;
  readonly onWritten: (output: string) => void;
}): WriteOutput {
  return async (output, batches) => {
    const completed = await live.complete(output.name);
    if (completed !== undefined) {
      onWritten(output.name);
      return completed;
    }
    const sink = await openSink({ file: files.get(output.name) as string, schema: output.schema });
    try {
      for await (const batch of batches) await sink.write(batch);
      const { rows } = await sink.close();
      onWritten(output.name);
      return rows;
    } catch (error) {
      await sink.abort();
      throw error;
    }
  };
}
