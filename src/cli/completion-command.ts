import type { Command } from "commander";
import { IpdmError } from "../core/errors.ts";
import { completedCommands, completionScript, SHELLS } from "./completion.ts";
import type { Terminal } from "./terminal.ts";

/** `ipdm-runtime completion <shell>`: prints the script. */
export async function completionCommand(name: string, root: Command, terminal: Terminal): Promise<void> {
  const shell = SHELLS.find((known) => known === name);
  if (shell === undefined)
    throw new IpdmError("USAGE", `there is no completion for ${name}`, {
      kind: "usage",
      hint: `shells: ${SHELLS.join(", ")}`,
    });
  for (const line of completionScript(shell, root.name(), completedCommands(root)).trimEnd().split("\n"))
    terminal.print(line);
}
