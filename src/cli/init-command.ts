import { initProject } from "./init.ts";
import type { Terminal } from "./terminal.ts";

/** `ipdm-runtime init <dir>`: writes the starter and says what to type next. */
export async function initCommand(dir: string, terminal: Terminal): Promise<void> {
  const { files, next } = await initProject(dir);
  if (terminal.options.json) {
    terminal.json({ event: "initialised", files, next });
    return;
  }
  for (const file of files) terminal.print(`wrote ${file}`);
  terminal.print("");
  terminal.print(`next: ${next}`);
}
