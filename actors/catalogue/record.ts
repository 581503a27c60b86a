import { z } from "zod";
import { bytes32, count, link, parseNode } from "../../src/consensus/ipld-schema.ts";
import { MODULE_NAME, MODULE_VERSION, MODULE_VERSION_CHARS_MAX } from "../../src/consensus/module-entry.ts";

const recordSchema = z.strictObject({
  v: z.literal(1),
  /** Number of the record in its catalogue, from 0, and the one before it. */
  seq: count,
  prev: link.nullable(),
  entry: link,
  // What an index needs, so that it can be made without reading the entries.
  name: z.string().regex(MODULE_NAME),
  version: z.string().max(MODULE_VERSION_CHARS_MAX).regex(MODULE_VERSION),
  module: link,
  publisher: bytes32,
});

/** One entry's place in a catalogue: a block of a linked list whose newest the catalogue's state names. */
export type CatalogueRecord = z.infer<typeof recordSchema>;

/** Reads a record. Throws `NODE_MALFORMED`. */
export function parseRecord(value: unknown): CatalogueRecord {
  return parseNode(recordSchema, "catalogue record", value);
}
