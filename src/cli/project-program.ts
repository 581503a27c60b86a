import type { Command } from "commander";
import { type Act, type CommonFlags, common } from "./act.ts";
import type { InitFlags } from "./init-command.ts";

/** Adds the commands around a project. */
export function addProjectCommands(root: Command, act: Act): void {
  common(root.command("init"))
    .description("write a working starter into a new folder")
    .argument("<dir>", "a new or empty folder")
    .option("--template <name>", "readings, blank or flights (default: readings)")
    .action((dir: string, flags: CommonFlags) =>
      act(flags, async (terminal) =>
        (await import("./init-command.ts")).initCommand(dir, flags as InitFlags, terminal),
      ),
    );
}
