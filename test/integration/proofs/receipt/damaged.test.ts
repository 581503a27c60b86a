import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { statementsRoot } from "../../../../proofs/merkle/statements.ts";
import { inCidOrder } from "../../../../proofs/receipt/build.ts";
import { type ReceiptRoot, signRoot } from "../../../../proofs/receipt/root.ts";
import { type VerifyPorts, verifyReceipt } from "../../../../proofs/receipt/verify.ts";
import { equalBytes } from "../../../../src/core/bytes.ts";
import { type Block, cborBlock, decodeBlock, jsonBlock, rawBlock } from "../../../../src/dag/block.ts";
import { encodeCar, readCar } from "../../../../src/dag/car.ts";
import { sha256 } from "../../../../src/node.ts";
import { type Fixture, readBytes, verifyPorts } from "./receipt-fixture.ts";
import { runSmall } from "./small-receipt.ts";

const SEED = 20_240_101;
const FLIPS = 400;

let fixture: Fixture;
let bytes: Uint8Array;
let ports: VerifyPorts;

beforeAll(async () => {
  ports = await verifyPorts();
  fixture = await runSmall();
  bytes = await readBytes(fixture.receipt);
}, 120_000);

afterAll(() => fixture[Symbol.asyncDispose]());

const code = (changed: Uint8Array): string => {
  const { ok, fault } = verifyReceipt(ports, changed);
  expect(ok ? "somewhere" : fault?.where).toMatch(/./);
  return ok ? "accepted" : (fault?.code ?? "no code");
};

interface Parts {
  readonly root: ReceiptRoot;
  readonly others: readonly Block[];
}

const partsOf = (): Parts => {
  const { root, blocks } = readCar(sha256, bytes);
  const node = decodeBlock(blocks.get(root.toString()) as Block) as ReceiptRoot;
  return { root: node, others: inCidOrder([...blocks.values()].filter(({ cid }) => !cid.equals(root))) };
};

/** A file of these blocks, counted and signed anew by the submitter. */
const assembled = ({ root, others }: Parts): Uint8Array => {
  const { signature: _, ...body } = root;
  const counted = {
    ...body,
    blocks: {
      count: others.length,
      merkleRoot: statementsRoot(
        sha256,
        others.map(({ cid }) => cid),
      ),
    },
  };
  const block = jsonBlock(sha256, signRoot(counted, fixture.signers[0] as Fixture["signers"][number]));
  return encodeCar(block.cid, [block, ...others]);
};

describe("a damaged receipt", () => {
  it("verifies undamaged", () => {
    expect(code(bytes)).toBe("accepted");
    expect(equalBytes(assembled(partsOf()), bytes)).toBe(true);
  });

  it(`is refused with any byte flipped (${FLIPS} of them, seed ${SEED})`, () => {
    let state = SEED;
    const next = (below: number): number => {
      state = (state * 48_271) % 2_147_483_647;
      return state % below;
    };
    for (let i = 0; i < FLIPS; i++) {
      const at = next(bytes.length);
      const flipped = bytes.with(at, (bytes[at] as number) ^ (1 << next(8)));
      expect(`byte ${at}: ${code(flipped)}`).toMatch(/: (CAR|DAG|BLOCKS|NODE)_[A-Z_]+$/);
    }
  });

  it("is refused cut off anywhere, and where anything follows", () => {
    for (let length = 0; length < bytes.length; length += 97)
      expect(code(bytes.subarray(0, length))).toMatch(/^(CAR|BLOCKS)_/);
    for (const more of [[0], [0, 0, 0, 0], [1], [255, 255]])
      expect(code(Uint8Array.of(...bytes, ...more))).toMatch(/^CAR_(TRAILING_BYTES|MALFORMED)$/);
    expect(code(Uint8Array.of(...bytes, ...bytes))).toMatch(/^CAR_/);
  });

  it("is refused with a block removed, added or doubled, as it is and counted anew", () => {
    const { root, others } = partsOf();
    const { root: cid } = readCar(sha256, bytes);
    const first = jsonBlock(sha256, root);
    expect(first.cid.equals(cid)).toBe(true);
    const extra = rawBlock(sha256, Uint8Array.of(1));
    const note = cborBlock(sha256, { note: "more" });
    for (let i = 0; i < others.length; i++) {
      const fewer = others.toSpliced(i, 1);
      expect(code(encodeCar(cid, [first, ...fewer]))).toBe("BLOCKS_MISMATCH");
      expect(code(assembled({ root, others: fewer }))).toBe("CAR_LINK_MISSING");
    }
    for (const block of [extra, note]) {
      const more = inCidOrder([...others, block]);
      expect(code(encodeCar(cid, [first, ...more]))).toBe("BLOCKS_MISMATCH");
      expect(code(assembled({ root, others: more }))).toBe("CAR_UNREFERENCED_BLOCK");
    }
    const swapped = others.toSpliced(0, 1, extra);
    expect(code(encodeCar(cid, [first, ...inCidOrder(swapped)]))).toBe("BLOCKS_MISMATCH");
    const whole = encodeCar(cid, [first, ...others]);
    const last = encodeCar(cid, [first, others.at(-1) as Block]).length - encodeCar(cid, [first]).length;
    expect(code(Uint8Array.of(...whole, ...whole.subarray(whole.length - last)))).toBe("CAR_DUPLICATE_BLOCK");
  });

  it("is refused with its blocks in another order: a root has one file", () => {
    const { root, others } = partsOf();
    const { root: cid } = readCar(sha256, bytes);
    const first = jsonBlock(sha256, root);
    expect(code(encodeCar(cid, [first, ...others.toReversed()]))).toBe("BLOCKS_ORDER");
    expect(code(encodeCar(cid, [...others, first]))).toBe("BLOCKS_ORDER");
  });

  it("is refused where it is something else", () => {
    const { root, others } = partsOf();
    const cbor = cborBlock(sha256, root);
    expect(code(encodeCar(cbor.cid, [cbor, ...others]))).toBe("NODE_MALFORMED");
    const nothing = jsonBlock(sha256, {});
    expect(code(encodeCar(nothing.cid, [nothing]))).toBe("NODE_MALFORMED");
    for (const [i, block] of others.entries())
      if (i % 7 === 0) expect(code(encodeCar(block.cid, [block]))).toMatch(/^NODE_MALFORMED$/);
    for (const text of ["", "garbage", "PAR1", "{}", "\u0000".repeat(100)])
      expect(code(new TextEncoder().encode(text))).toMatch(/^CAR_MALFORMED$/);
    let state = SEED;
    const noise = Uint8Array.from({ length: 4096 }, () => (state = (state * 48_271) % 2_147_483_647) & 255);
    expect(code(noise)).toMatch(/^CAR_/);
  });
});
