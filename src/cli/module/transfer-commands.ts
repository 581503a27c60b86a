import { open } from "node:fs/promises";
import { readReference } from "../../config/module-reference.ts";
import { toHex } from "../../core/bytes.ts";
import { IpdmError } from "../../core/errors.ts";
import { BLOCK_SIZE_MAX } from "../../dag/limits.ts";
import { openCatalogue } from "../../registry/catalogue-lease.ts";
import { moduleCar, readModuleCar } from "../../registry/exchange.ts";
import { writeWhole } from "../../sinks/atomic-file.ts";
import type { Terminal } from "../terminal.ts";
import { type CatalogueFlag, catalogueFolder } from "./flags.ts";

/** A module, its entry, and the lengths and names around them. */
const CAR_BYTES_MAX = 2 * BLOCK_SIZE_MAX;

/** `ipdm-runtime module export <name[@range]> <car>`: writes a module and its entry as a file for others. */
export async function exportCommand(
  module: string,
  file: string,
  flags: CatalogueFlag,
  terminal: Terminal,
): Promise<void> {
  const reference = readReference(module);
  await using catalogue = await openCatalogue(catalogueFolder(flags));
  const found = await catalogue.resolve(reference);
  const car = moduleCar(found);
  await writeWhole(file, car);
  const { name, version } = found.entry;
  const entry = found.entryBlock.cid.toString();
  if (terminal.options.json)
    terminal.json({ event: "exported", ok: true, name, version, entry, file, bytes: car.length });
  else terminal.print(`exported   ${name}@${version} to ${file}, ${car.length} bytes; its entry is ${entry}`);
}

/** `ipdm-runtime module import <car>`: checks a module that someone exported, and takes it into the catalogue. */
export async function importCommand(file: string, flags: CatalogueFlag, terminal: Terminal): Promise<void> {
  const car = await readCarFile(file);
  // Checked before a catalogue is made for it.
  const read = readModuleCar(car);
  await using catalogue = await openCatalogue(catalogueFolder(flags), { create: true });
  const { entry, entryBlock, outcome } = await catalogue.add(read.entry, read.bytes);
  const { name, version } = entry;
  const publisher = toHex(entry.publisher);
  const cid = entryBlock.cid.toString();
  if (terminal.options.json) {
    const module = entry.module.toString();
    terminal.json({
      event: "imported",
      ok: true,
      name,
      version,
      module,
      entry: cid,
      publisher,
      outcome,
      catalogue: catalogue.folder,
    });
    return;
  }
  terminal.print(`${outcome === "present" ? "present   " : "imported  "} ${name}@${version} in ${catalogue.folder}`);
  terminal.print(`entry      ${cid}`);
  terminal.print(`publisher  ${publisher}: whether that is who you think is yours to know`);
}

async function readCarFile(path: string): Promise<Uint8Array> {
  try {
    await using file = await open(path, "r");
    const buffer = Buffer.alloc(CAR_BYTES_MAX + 1);
    let length = 0;
    for (;;) {
      const { bytesRead } = await file.read(buffer, length, buffer.length - length, null);
      length += bytesRead;
      if (bytesRead === 0) return new Uint8Array(buffer.subarray(0, length));
      if (length > CAR_BYTES_MAX) break;
    }
  } catch (cause) {
    throw new IpdmError("MODULE_CAR_UNREADABLE", `${path} cannot be read: ${(cause as Error).message}`, {
      kind: "config",
      where: path,
      hint: "check the path and its permissions",
      cause,
    });
  }
  throw new IpdmError("MODULE_CAR_UNREADABLE", `${path} has more than ${CAR_BYTES_MAX} bytes: it is no module's file`, {
    kind: "config",
    where: path,
  });
}
