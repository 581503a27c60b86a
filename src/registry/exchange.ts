import { notSigned } from "../../actors/catalogue/actor.ts";
import { entrySigned, type ModuleEntry, parseModuleEntry } from "../consensus/module-entry.ts";
import { IpdmError } from "../core/errors.ts";
import { type Block, CODEC, decodeBlock } from "../dag/block.ts";
import { encodeCar, readCar, walk } from "../dag/car.ts";
import { sha256, verifyEd25519 } from "../node.ts";
import type { Catalogue, CatalogueModule } from "./catalogue.ts";
import { checkEntry } from "./entry-check.ts";

/** A module as a file for others: a CAR whose root is the entry, with the module behind it. The same module gives the same bytes. */
export function moduleCar({ entryBlock, moduleBlock }: CatalogueModule): Uint8Array<ArrayBuffer> {
  return encodeCar(entryBlock.cid, [entryBlock, moduleBlock]);
}

/**
 * Reads a module from a file that anyone may have made, and checks all that can be checked without a catalogue: hashes and links, the
 * entry's form, its signature, the static check. Throws `CAR_*`, `DAG_*`, `NODE_MALFORMED`, `MODULE_SIGNATURE`, and what
 * {@link checkEntry} throws.
 */
export function readModuleCar(car: Uint8Array): { readonly entry: ModuleEntry; readonly bytes: Uint8Array } {
  const { root, blocks } = readCar(sha256, car);
  if (root.code !== CODEC.dagCbor)
    throw new IpdmError("MODULE_ENTRY_INVALID", "the root of the file is no module entry", {
      kind: "verification",
      where: root.toString(),
      hint: "`ipdm-runtime module export` writes such files",
    });
  const entry = parseModuleEntry(decodeBlock(blocks.get(root.toString()) as Block));
  if (entry.module.code !== CODEC.raw)
    throw new IpdmError("MODULE_ENTRY_INVALID", `${entry.name}@${entry.version} names a module that is no raw block`, {
      kind: "verification",
      where: entry.module.toString(),
    });
  walk(root, blocks, { external: () => false });
  if (!entrySigned(entry, verifyEd25519)) throw notSigned(entry);
  const bytes = new Uint8Array((blocks.get(entry.module.toString()) as Block).bytes);
  checkEntry(entry, bytes);
  return { entry, bytes };
}

/** Takes a module from a file into a catalogue. Nothing of it is kept when anything fails. Throws as {@link readModuleCar} and `Catalogue.add`. */
export async function importModule(
  catalogue: Catalogue,
  car: Uint8Array,
): Promise<CatalogueModule & { readonly outcome: "published" | "present" }> {
  const { entry, bytes } = readModuleCar(car);
  return catalogue.add(entry, bytes);
}
