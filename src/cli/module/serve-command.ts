import { toHex } from "../../core/bytes.ts";
import { quietLog } from "../../node.ts";
import { Catalogue } from "../../registry/catalogue.ts";
import { openCatalogueServer } from "../../registry/peers.ts";
import type { Terminal } from "../terminal.ts";
import { type CatalogueFlag, catalogueFolder } from "./flags.ts";

/** Flags of `module serve`, as the command line gives them. */
export interface ServeFlags extends CatalogueFlag {
  readonly listen?: string;
}

/** `ipdm-runtime module serve`: lets other catalogues take what is in this one, until it is stopped. */
export async function serveCommand(flags: ServeFlags, terminal: Terminal, signal: AbortSignal): Promise<void> {
  await using catalogue = await Catalogue.open(catalogueFolder(flags));
  await using server = await openCatalogueServer(catalogue, { listen: flags.listen, log: quietLog, signal });
  const { addresses } = server;
  const node = toHex(server.node);
  const modules = catalogue.size;
  if (terminal.options.json)
    terminal.json({ event: "serving", ok: true, addresses, node, modules, catalogue: catalogue.folder });
  else for (const address of addresses) terminal.print(address);
  terminal.say(`serving ${modules} modules of ${catalogue.folder}; Ctrl-C ends it`);
  await new Promise<never>((_, reject) => {
    const end = (): void => reject(signal.reason as Error);
    if (signal.aborted) end();
    else signal.addEventListener("abort", end, { once: true });
  });
}
