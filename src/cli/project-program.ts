import { type Command, Option } from "commander";
import { type Act, type CommonFlags, collect, common, written } from "./act.ts";
import type { ConfigPrintFlags } from "./config-print-command.ts";
import type { DoctorFlags } from "./doctor/doctor-command.ts";
import type { ExplainFlags } from "./explain-command.ts";
import type { InitFlags } from "./init-command.ts";

/** Adds the commands around a project. */
export function addProjectCommands(root: Command, act: Act, signal: AbortSignal): void {
  common(root.command("init"))
    .description("write a working starter into a new folder")
    .argument("<dir>", "a new or empty folder")
    .option("--template <name>", "readings, blank, ethereum-erc20, solana-fees or flights (default: readings)")
    .action((dir: string, flags: CommonFlags) =>
      act(flags, async (terminal) =>
        (await import("./init-command.ts")).initCommand(dir, flags as InitFlags, terminal),
      ),
    );
  common(root.command("explain"))
    .description("say what a code of an error means, or what the block of a CID is")
    .argument("<what>", "a code such as NO_QUORUM, or a CID")
    .option("--receipt <receipt.car>", "look for the block in this receipt, or saved row", written)
    .option("--data <dir>", "look for the block in this data folder of a run", written)
    .action((what: string, flags: CommonFlags) =>
      act(flags, async (terminal) =>
        (await import("./explain-command.ts")).explainCommand(what, flags as ExplainFlags, terminal),
      ),
    );
  common(root.command("doctor"))
    .description("check what the runtime stands on: Node.js, disk, store, sandbox, prover, loopback")
    .option("--data <dir>", "folder whose disk is checked (default: the working folder)", written)
    .action((flags: CommonFlags) =>
      act(flags, async (terminal) =>
        (await import("./doctor/doctor-command.ts")).doctorCommand(flags as DoctorFlags, terminal, signal),
      ),
    );
  common(root.command("completion"))
    .description("print a script that completes commands and options in a shell")
    .argument("<shell>", "bash, zsh or fish")
    .action((shell: string, flags: CommonFlags) =>
      act(flags, async (terminal) =>
        (await import("./completion-command.ts")).completionCommand(shell, root, terminal),
      ),
    );
  const config = root.command("config").description("look at configurations");
  common(config.command("print"))
    .description("print a configuration as it is in force, defaults and flags included")
    .argument("<config>", "ipdm.yaml, or a folder that holds one")
    .option("--origin", "say of each value where it comes from: file:line:column, a flag, a default")
    .option("--replicas <n>", "as for run")
    .option("--catalogue <dir>", "as for run", written)
    .addOption(new Option("--input <name=place>", "as for run").argParser(collect).default([]))
    .addOption(new Option("--range <name=first..last>", "as for run").argParser(collect).default([]))
    .action((path: string, flags: CommonFlags) =>
      act(flags, async (terminal) =>
        (await import("./config-print-command.ts")).configPrintCommand(path, flags as ConfigPrintFlags, terminal),
      ),
    );
  for (const command of config.commands) command.exitOverride().showSuggestionAfterError();
}
