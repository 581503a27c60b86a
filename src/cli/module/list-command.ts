import { toHex } from "../../core/bytes.ts";
import { openCatalogue } from "../../registry/catalogue-lease.ts";
import type { Terminal } from "../terminal.ts";
import { listBuiltIns } from "./built-in.ts";
import { type CatalogueFlag, catalogueFolder } from "./flags.ts";

/** `ipdm-runtime module list`: the modules that come with the runtime, and every version of every module in the catalogue. */
export async function listCommand(flags: CatalogueFlag, terminal: Terminal): Promise<void> {
  await listBuiltIns(terminal);
  await using catalogue = await openCatalogue(catalogueFolder(flags));
  const records = catalogue.records();
  for (const { name, version, module, entry, publisher } of records) {
    const cid = module.toString();
    const key = toHex(publisher);
    if (terminal.options.json)
      terminal.json({ event: "module", name, version, module: cid, entry: entry.toString(), publisher: key });
    else terminal.print(`${`${name}@${version}`.padEnd(28)} ${cid}  by ${key.slice(0, 16)}…`);
  }
  if (terminal.options.json)
    terminal.json({ event: "listed", ok: true, modules: records.length, catalogue: catalogue.folder });
  else terminal.say(`${records.length} modules in ${catalogue.folder}`);
}
