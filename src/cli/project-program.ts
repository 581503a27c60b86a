import type { Command } from "commander";
import { type Act, type CommonFlags, common } from "./act.ts";

/** Adds the commands around a project. */
export function addProjectCommands(root: Command, act: Act): void {
  common(root.command("init"))
    .description("write a working starter into a new folder")
    .argument("<dir>", "a new or empty folder")
    .action((dir: string, flags: CommonFlags) =>
      act(flags, async (terminal) => (await import("./init-command.ts")).initCommand(dir, terminal)),
    );
}
