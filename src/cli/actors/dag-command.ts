import { readFile } from "node:fs/promises";
import type { CID } from "multiformats/cid";
import { readable } from "../../audit/actors/readable.ts";
import { parseCid } from "../../audit/actors/replay-actor.ts";
import { openExistingStore } from "../../audit/actors/store-folder.ts";
import { IpdmError } from "../../core/errors.ts";
import { CODEC, decodeBlock, decodeStrict } from "../../dag/block.ts";
import { readCar } from "../../dag/car.ts";
import { sha256 } from "../../node.ts";
import type { Terminal } from "../terminal.ts";

/** Flags of `dag show`: one of them says where the block is. */
export interface DagFlags {
  readonly dir?: string;
  readonly car?: string;
}

/** `ipdm-runtime dag show`: a block as dag-json, once its bytes are checked. */
export async function dagShowCommand(text: string, flags: DagFlags, terminal: Terminal): Promise<void> {
  const cid = parseCid(text);
  if (cid === undefined)
    throw new IpdmError("USAGE", `${text} is not a CID`, { kind: "usage", hint: "CIDs look like bafyrei…" });
  const bytes = await blockBytes(cid, flags);
  if (bytes === undefined)
    throw new IpdmError("NEEDS_DATA", `block ${text} is not there`, {
      kind: "unreachable",
      where: text,
      hint: "give the folder or the file that holds it",
    });
  decodeStrict(sha256, { cid, bytes });
  const codec = cid.code === CODEC.raw ? "raw" : cid.code === CODEC.dagCbor ? "dag-cbor" : "dag-json";
  const value = readable(decodeBlock({ cid, bytes }));
  if (terminal.options.json) terminal.json({ event: "block", cid: text, codec, bytes: bytes.length, data: value });
  else terminal.print(JSON.stringify(value));
}

async function blockBytes(cid: CID, { dir, car }: DagFlags): Promise<Uint8Array | undefined> {
  if (car !== undefined) return readCar(sha256, new Uint8Array(await readFile(car))).blocks.get(cid.toString())?.bytes;
  if (dir === undefined)
    throw new IpdmError("USAGE", "dag show needs --dir or --car", { kind: "usage", hint: "say where the block is" });
  await using store = await openExistingStore(dir);
  return await store.blocks.get(cid);
}
