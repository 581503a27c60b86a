import { readFile } from "node:fs/promises";
import * as dagCbor from "@ipld/dag-cbor";
import type { CID } from "multiformats/cid";
import { expect, it } from "vitest";
import type { Value } from "../../../../src/batch/column.ts";
import { schemaOf } from "../../../../src/batch/schema.ts";
import { BatchWriter } from "../../../../src/batch/writer.ts";
import { toHex } from "../../../../src/core/bytes.ts";
import { sha256 } from "../../../../src/node.ts";
import type { SavedState } from "../../../../src/streams/window/state-tree.ts";
import { WindowAggregate } from "../../../../src/streams/window/window-aggregate.ts";

const schema = schemaOf([
  { name: "t", type: "timestamp", nullable: false },
  { name: "k", type: "utf8", nullable: true },
  { name: "v", type: "i64", nullable: true },
]);

function saved(rows: readonly (readonly Value[])[]): SavedState {
  const window = new WindowAggregate(
    {
      time: "t",
      outOfOrderUs: 20,
      sizeUs: 10,
      latenessUs: 0,
      keys: ["k"],
      aggregates: [
        { name: "n", kind: "count" },
        { name: "sum", kind: "sum", column: "v" },
        { name: "top", kind: "max", column: "v" },
      ],
    },
    schema,
  );
  const writer = new BatchWriter(schema);
  for (const row of rows) writer.push(row);
  window.push(writer.take());
  return window.save(sha256);
}

it("docs/reference/state.md gives the test vectors that the code computes", async () => {
  const small = saved([
    [1n, "b", 3n],
    [2n, "a", null],
    [12n, "a", 2n ** 60n],
  ]);
  const large = saved(Array.from({ length: 10_000 }, (_, i): Value[] => [1n, `k${i}`, BigInt(i)]));
  const { chunks } = dagCbor.decode<{ chunks: CID[] }>(large.root.bytes);
  const vectors = {
    small: toHex(small.root.bytes),
    "small root": small.root.cid.toString(),
    "large root": large.root.cid.toString(),
    "large chunks": String(chunks.length),
    "first chunk": chunks[0]?.toString(),
    "last chunk": chunks.at(-1)?.toString(),
  };
  const page = await readFile(new URL("../../../../docs/reference/state.md", import.meta.url), "utf8");
  const shown = [...page.matchAll(/^ {4}([a-z ]+?) += ([0-9a-z]+)$/gm)].map(([, name, value]) => [name, value]);
  expect(Object.fromEntries(shown)).toEqual(vectors);
});
