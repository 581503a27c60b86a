import { parseModuleEntry } from "../consensus/module-entry.ts";
import { IpdmError } from "../core/errors.ts";
import { type Block, CODEC, decodeBlock } from "../dag/block.ts";
import { encodeCar, readCar, walk } from "../dag/car.ts";
import { sha256 } from "../node.ts";
import type { Catalogue, CatalogueModule } from "./catalogue.ts";

/** A module as a file for others: a CAR whose root is the entry, with the module behind it. The same module gives the same bytes. */
export function moduleCar({ entryBlock, moduleBlock }: CatalogueModule): Uint8Array<ArrayBuffer> {
  return encodeCar(entryBlock.cid, [entryBlock, moduleBlock]);
}

/**
 * Takes a module from a file that anyone may have made: hashes and links, the entry's form, its signature, the static check, and
 * the catalogue's own rules. Nothing of it is kept when one of them fails. Throws `CAR_*`, `DAG_*`, `NODE_MALFORMED`,
 * `MODULE_ENTRY_INVALID`, and what `Catalogue.add` throws.
 */
export async function importModule(
  catalogue: Catalogue,
  car: Uint8Array,
): Promise<CatalogueModule & { readonly outcome: "published" | "present" }> {
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
  const module = blocks.get(entry.module.toString()) as Block;
  return catalogue.add(entry, new Uint8Array(module.bytes));
}
