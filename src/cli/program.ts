import { readFileSync } from "node:fs";
import { Command, Option } from "commander";
import { type Act, type CommonFlags, collect, common, written } from "./act.ts";
import { addActorCommands } from "./actors/program.ts";
import { addJournalCommands } from "./journal/program.ts";
import { addModuleCommands } from "./module/program.ts";
import { addProjectCommands } from "./project-program.ts";
import { addReceiptCommands } from "./receipt-program.ts";
import type { Ending, RunFlags } from "./run-command.ts";

/**
 * The tree of commands. What a command does is loaded when it is used: `--help` must not wait for databases and networks. `act`
 * carries a command's work out; `signal` stops it.
 */
export function program(act: Act, signal: AbortSignal, ending: Ending = {}): Command {
  const root = new Command("ipdm-runtime")
    .description("Data pipelines whose results carry their own evidence")
    .version(version(), "--version", "print the version")
    .helpOption("-h, --help", "show help")
    .showSuggestionAfterError()
    // `module publish --version` is an option of that command.
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({ outputError: () => {} });
  addRun(root, act, signal, ending);
  addReceiptCommands(root, act, signal);
  addProjectCommands(root, act, signal);
  addModuleCommands(root, act, signal);
  addActorCommands(root, act);
  addJournalCommands(root, act);
  for (const command of root.commands) command.exitOverride().showSuggestionAfterError();
  return root;
}

function addRun(root: Command, act: Act, signal: AbortSignal, ending: Ending): void {
  common(root.command("run"))
    .description("run a configuration: data in, tables and a receipt out")
    .argument("<config>", "ipdm.yaml, or a folder that holds one")
    .option("--out <dir>", "folder for tables and receipt (default: out/<name>)", written)
    .option("--data <dir>", "folder for keys, journals and batches (default: .data in the out folder)", written)
    .option(
      "--catalogue <dir>",
      "folder with the catalogue of modules (default: as configured, else .ipdm/catalogue)",
      written,
    )
    .option("--replicas <n>", "nodes that compute and vote (default: as configured)")
    .option("--batch-rows <n>", "rows a batch, 1 to 4096; never changes the result (default: 4096)")
    .option(
      "--lanes <n>",
      "threads that run a node's modules; never changes the result (default: cores shared by nodes)",
    )
    .addOption(
      new Option("--input <name=place>", "read this source from another file, folder or endpoint")
        .argParser(collect)
        .default([]),
    )
    .addOption(
      new Option("--range <name=first..last>", "read these blocks of a chain; first.. follows its head from there on")
        .argParser(collect)
        .default([]),
    )
    .option("--fresh", "compute everything again, reuse nothing")
    .option("--metrics [port]", "serve metrics for Prometheus on 127.0.0.1 (default port: 9464; 0: any)")
    .action((config: string, flags: CommonFlags) =>
      act(flags, async (terminal) =>
        (await import("./run-command.ts")).runCommand(config, flags as RunFlags, terminal, signal, ending),
      ),
    );
}

/** The package's version. */
function version(): string {
  const path = new URL(
    import.meta.url.endsWith(".ts") ? "../../package.json" : "../../../package.json",
    import.meta.url,
  );
  const parsed: unknown = JSON.parse(readFileSync(path, "utf8"));
  return String((parsed as { version?: unknown }).version);
}
