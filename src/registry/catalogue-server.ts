import type { CID } from "multiformats/cid";
import { parseRecord } from "../../actors/catalogue/record.ts";
import { IpdmError } from "../core/errors.ts";
import type { Signer } from "../core/ports.ts";
import { decodeBlock } from "../dag/block.ts";
import type { Network } from "../network/port.ts";
import type { Catalogue } from "./catalogue.ts";
import type { CatalogueAccess } from "./catalogue-lease.ts";
import { CATALOGUE_PROTOCOL, encodePage, PAGE_RECORDS_MAX, parseAsk, signHead } from "./catalogue-protocol.ts";

/**
 * Lets peers read a catalogue: its head, signed by the node, pages of its records, and by CID the blocks that these name. Nothing
 * else of the folder is given. Returns what ends it; blocks are served until the network closes.
 */
export function serveCatalogue(network: Network, access: CatalogueAccess, signer: Signer): () => void {
  network.serveBlocks((cid) => access((catalogue) => catalogue.find(cid)));
  return network.handle(CATALOGUE_PROTOCOL, async (_from, request) => {
    const asked = parseAsk(request);
    return access(async (catalogue) =>
      asked.want === "head" ? signHead(catalogue.head, signer) : encodePage(await page(catalogue, asked.from)),
    );
  });
}

/** Records from one on backwards, as their bytes. */
async function page(catalogue: Catalogue, from: CID): Promise<Uint8Array[]> {
  const records: Uint8Array[] = [];
  for (let cid: CID | null = from; cid !== null && records.length < PAGE_RECORDS_MAX; ) {
    const bytes: Uint8Array | undefined = catalogue.isRecord(cid) ? await catalogue.find(cid) : undefined;
    if (bytes === undefined)
      throw new IpdmError("CATALOGUE_RECORD_UNKNOWN", `${cid.toString()} is no record of this catalogue`, {
        where: cid.toString(),
      });
    records.push(bytes);
    cid = parseRecord(decodeBlock({ cid, bytes })).prev;
  }
  return records;
}
