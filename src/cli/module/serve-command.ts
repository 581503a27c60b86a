import { toHex } from "../../core/bytes.ts";
import { quietLog } from "../../node.ts";
import { openCatalogueServer } from "../../registry/peers.ts";
import type { Terminal } from "../terminal.ts";
import { type CatalogueFlag, catalogueFolder } from "./flags.ts";

/** Flags of `module serve`, as the command line gives them. */
export interface ServeFlags extends CatalogueFlag {
  readonly listen?: string;
}

/** `ipdm-runtime module serve`: lets other catalogues take what is in this one, until it is stopped. */
export async function serveCommand(flags: ServeFlags, terminal: Terminal, signal: AbortSignal): Promise<void> {
  const folder = catalogueFolder(flags);
  await using server = await openCatalogueServer(folder, { listen: flags.listen, log: quietLog, signal });
  const { addresses, modules } = server;
  const node = toHex(server.node);
  if (terminal.options.json) terminal.json({ event: "serving", ok: true, addresses, node, modules, catalogue: folder });
  else for (const address of addresses) terminal.print(address);
  terminal.say(`serving ${modules} modules of ${folder}; Ctrl-C ends it`);
  await new Promise<never>((_, reject) => {
    const end = (): void => reject(signal.reason as Error);
    if (signal.aborted) end();
    else signal.addEventListener("abort", end, { once: true });
  });
}
