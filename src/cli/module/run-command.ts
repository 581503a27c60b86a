import { once } from "node:events";
import { type ModuleRun, ndjsonOf, runModule } from "../../registry/rows.ts";
import { openSink } from "../../sinks/port.ts";
import type { Terminal } from "../terminal.ts";
import { inputOf } from "./check-command.ts";
import { type CatalogueFlag, type HowFlags, namingColumns, runnable } from "./flags.ts";

/** Flags of `module run`, as the command line gives them. */
export interface ModuleRunFlags extends HowFlags, CatalogueFlag {
  readonly input: string;
  readonly inputColumns?: string;
  readonly time?: string;
  readonly output?: string;
}

/** `ipdm-runtime module run <module>`: sends a file's rows through a module, outside any pipeline. */
export async function moduleRunCommand(
  module: string,
  flags: ModuleRunFlags,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<void> {
  const found = await runnable(module, flags);
  const time = flags.time ?? found.given?.described.inputTime;
  const input = inputOf(flags.input, flags, found.given);
  const counts = await namingColumns(() =>
    runModule({ ...found, time }, input, signal, async (run) => {
      if (flags.output === undefined) await print(run, terminal.options.json);
      else await write(run, flags.output);
      return run.counts;
    }),
  );
  const { rowsIn, rowsOut, fuel } = counts;
  if (terminal.options.json) {
    const file = flags.output === undefined ? {} : { output: flags.output };
    terminal.json({ event: "ran", ok: true, module: found.label, ...counts, ...file });
  } else terminal.say(`${found.label}: ${rowsIn} rows in, ${rowsOut} out, ${fuel} fuel`);
}

async function print(run: ModuleRun, asJson: boolean): Promise<void> {
  for await (const chunk of ndjsonOf(run)) {
    const text = asJson
      ? new TextDecoder().decode(chunk).replaceAll(/^(.+)$/gm, '{"v":1,"event":"row","row":$1}')
      : chunk;
    // A reader that went away is no failure, and nobody waits for it.
    if (!process.stdout.write(text) && !process.stdout.destroyed)
      await Promise.race([once(process.stdout, "drain"), once(process.stdout, "close")]);
  }
}

async function write({ schema, batches }: ModuleRun, file: string): Promise<void> {
  await using sink = await openSink({ file, schema });
  for await (const batch of batches) await sink.write(batch);
  await sink.close();
}
