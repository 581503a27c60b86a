import fc from "fast-check";
import { cborBlock, type Ipld } from "../../../src/dag/block.ts";
import { sha256 } from "../../contract/journal/store.contract.ts";

const key = fc.string({ unit: "binary", maxLength: 8 }).filter((text) => text !== "__proto__");

/** Any value of the IPLD data model that comes back from dag-cbor as it was, links included. */
export const ipld: fc.Arbitrary<Ipld> = fc.letrec<{ value: Ipld }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, depthSize: "small" },
    fc.constant(null),
    fc.boolean(),
    fc.maxSafeInteger(),
    fc.double({ noNaN: true, noDefaultInfinity: true }).filter((number) => !Object.is(number, -0)),
    fc.bigInt({ min: 2n ** 53n, max: 2n ** 64n - 1n }),
    fc.string({ unit: "binary", maxLength: 12 }),
    fc.uint8Array({ maxLength: 12 }),
    fc.nat().map((number) => cborBlock(sha256, number).cid),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(key, tie("value"), { maxKeys: 4, noNullPrototype: true }),
  ),
})).value;
