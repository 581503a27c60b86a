import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { verifyReceipt } from "../../../../proofs/receipt/verify.ts";
import { type Fixture, readBytes, runFixture, verifyPorts } from "./receipt-fixture.ts";
import { Forgery } from "./receipt-forger.ts";
let fixture: Fixture;
beforeAll(async () => { fixture = await runFixture(); });
afterAll(async () => { await fixture[Symbol.asyncDispose](); });
describe("x", () => { it("y", async () => {
  const ports = await verifyPorts();
  const bytes = await readBytes(fixture.receipt);
  console.log(bytes.length);
  const v = verifyReceipt(ports, bytes);
  console.log(v.fault, v.checks, v.receipt?.root.statements.length);
  let t = performance.now();
  expect(v.ok).toBe(true);
  for (const signers of [[], fixture.signers.slice(0, 1), fixture.signers]) expect(Buffer.from(new Forgery(bytes, ports.key).seal(signers)).equals(Buffer.from(bytes))).toBe(true);
  t = performance.now(); verifyReceipt(ports, bytes); console.log(performance.now()-t);
}); });
