// Opens a session from the saved state in a file, runs one call, and writes the sums and the state after it. Arguments: the file
// (dag-cbor), then the values.
import { readFile } from "node:fs/promises";
import * as dagCbor from "@ipld/dag-cbor";
import type { CID } from "multiformats/cid";
import { schemaOf } from "../../../src/batch/schema.ts";
import { BatchWriter } from "../../../src/batch/writer.ts";
import type { Ipld } from "../../../src/dag/block.ts";
import { openLane } from "../../../src/sandbox/lane.ts";
import { specOf } from "../../support/wat-module.ts";

interface Saved {
  readonly module: Uint8Array;
  readonly state: Ipld;
  readonly blocks: Readonly<Record<string, Uint8Array>>;
}

const [file = "", ...values] = process.argv.slice(2);
const { module, state, blocks } = dagCbor.decode<Saved>(await readFile(file));
await using lane = openLane();
const handle = await lane.load(specOf(module, { kind: "stateful" }));
const read = async (cid: CID): Promise<Uint8Array> => blocks[cid.toString()] ?? new Uint8Array(0);
const session = await handle.openSession({ state, read });
const writer = new BatchWriter(schemaOf([{ name: "n", type: "i32", nullable: false }]));
for (const value of values) writer.push([Number(value)]);
const { batch, fuel } = await session.run(writer.take(), { firstRow: 0, seed: new Uint8Array(32) });
const after = Buffer.from(dagCbor.encode((await session.save()).state)).toString("hex");
process.stdout.write(JSON.stringify({ sums: Array.from(batch.columns[0]?.values as Int32Array), fuel, after }));
