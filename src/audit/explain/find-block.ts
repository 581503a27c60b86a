import type { CID } from "multiformats/cid";
import { IpdmError } from "../../core/errors.ts";
import { type Block, checkBlock } from "../../dag/block.ts";
import { readCar } from "../../dag/car.ts";
import { sha256 } from "../../node.ts";
import { openData } from "../data-folder.ts";
import { readReceiptFile } from "../receipt-file.ts";

/** Where a block is looked for. */
export interface BlockPlaces {
  readonly receipt?: string | undefined;
  readonly data?: string | undefined;
}

/**
 * Finds a block in a receipt's file, or in a run's data folder, and checks it against its CID. Throws `NEEDS_DATA` (kind
 * `unreachable`) where it is in neither, and what reading them throws.
 */
export async function findBlock(cid: CID, { receipt, data }: BlockPlaces): Promise<Block & { readonly place: string }> {
  if (receipt !== undefined) {
    const found = readCar(sha256, await readReceiptFile(receipt)).blocks.get(cid.toString());
    if (found !== undefined) return { ...found, place: receipt };
  }
  const folder = data === undefined ? undefined : await openData(data);
  try {
    const bytes = await folder?.store?.blocks.get(cid);
    if (bytes !== undefined) {
      checkBlock(sha256, { cid, bytes });
      return { cid, bytes, place: data ?? "" };
    }
  } finally {
    await folder?.store?.close();
  }
  const looked = [receipt, data].filter((place) => place !== undefined).join(" and ");
  const lacks = folder !== undefined && folder.store === undefined ? `: ${folder.lacks}` : "";
  throw new IpdmError(
    "NEEDS_DATA",
    `block ${cid.toString()} is not in ${looked === "" ? "any place given" : looked}${lacks}`,
    {
      kind: "unreachable",
      where: cid.toString(),
      hint: "pass --receipt <receipt.car> or --data <folder of the run>",
    },
  );
}
