import { readReference } from "../../config/module-reference.ts";
import { toHex } from "../../core/bytes.ts";
import { openCatalogue } from "../../registry/catalogue-lease.ts";
import type { Terminal } from "../terminal.ts";
import { showBuiltIn } from "./built-in.ts";
import { type CatalogueFlag, catalogueFolder } from "./flags.ts";

/** `ipdm-runtime module show <name[@range]>`: what the publisher declares of a module; of `ipdm:<name>`, what comes with the runtime. */
export async function showCommand(module: string, flags: CatalogueFlag, terminal: Terminal): Promise<void> {
  if (await showBuiltIn(module, terminal)) return;
  const reference = readReference(module);
  await using catalogue = await openCatalogue(catalogueFolder(flags));
  const { entry, entryBlock } = await catalogue.resolve(reference);
  const { v: _v, kind: _kind, signature, publisher, module: cid, ...declared } = entry;
  const shown = {
    ...declared,
    module: cid.toString(),
    entry: entryBlock.cid.toString(),
    publisher: toHex(publisher),
    signature: toHex(signature),
  };
  if (terminal.options.json) {
    terminal.json({ event: "shown", ok: true, ...shown, catalogue: catalogue.folder });
    return;
  }
  const { limits, columns, capabilities, features, unit } = entry;
  terminal.print(
    `${entry.name}@${entry.version}${entry.description === "" ? "" : `: ${printable(entry.description)}`}`,
  );
  terminal.print(`module        ${shown.module}, ${entry.bytes} bytes`);
  terminal.print(`entry         ${shown.entry}`);
  terminal.print(`publisher     ${shown.publisher}; the signature is theirs`);
  terminal.print(`called by     ${entry.abi}, ${unit === null ? "kind rows" : `kind batch, units of ${unit} rows`}`);
  if (columns !== null)
    terminal.print(`columns       ${columns.map(({ name, type }) => `${name}: ${type}`).join(", ")}`);
  terminal.print(
    `fuel          ${limits.fuelPerCall} a call and ${limits.fuelPerRow} a row, in units of ${entry.costTable}`,
  );
  terminal.print(
    `memory        ${limits.memoryBytesMax} bytes; stack ${limits.stackValuesMax} values; output ${limits.outputBytesMax} bytes`,
  );
  if (entry.continues !== undefined)
    terminal.print(`goes on from  the memory of versions ${printable(entry.continues)}`);
  if (features !== undefined) terminal.print(`may use       ${features.join(", ")}`);
  terminal.print(`may ask for   ${capabilities.length === 0 ? "nothing" : capabilities.join(", ")}`);
}

/** A stranger's text without what a terminal would obey. */
function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}]/gu, " ");
}
