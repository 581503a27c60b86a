import { initProject } from "./init.ts";
import type { Terminal } from "./terminal.ts";

/** Flags of `init`, as the command line gives them. */
export interface InitFlags {
  readonly template?: string;
}

/** `ipdm-runtime init <dir>`: writes the starter and says what to type next. */
export async function initCommand(dir: string, { template }: InitFlags, terminal: Terminal): Promise<void> {
  const { files, next } = await initProject(dir, template);
  if (terminal.options.json) {
    terminal.json({ event: "initialised", files, next });
    return;
  }
  for (const file of files) terminal.print(`wrote ${file}`);
  terminal.print("");
  terminal.print(`next: ${next}`);
}
