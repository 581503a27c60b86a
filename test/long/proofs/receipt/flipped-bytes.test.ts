import { expect, it } from "vitest";
import { verifyReceipt } from "../../../../proofs/receipt/verify.ts";
import { readBytes, verifyPorts } from "../../../integration/proofs/receipt/receipt-fixture.ts";
import { runSmall } from "../../../integration/proofs/receipt/small-receipt.ts";

it("refuses a receipt with any one of its bytes changed", async () => {
  const ports = await verifyPorts();
  await using fixture = await runSmall();
  const bytes = await readBytes(fixture.receipt);
  expect(verifyReceipt(ports, bytes).ok).toBe(true);
  const accepted: number[] = [];
  const codes = new Set<string>();
  for (const [at, byte] of bytes.entries()) {
    // A different change in each place: of one bit, or of all.
    const { ok, fault } = verifyReceipt(ports, bytes.with(at, at % 9 === 8 ? byte ^ 0xff : byte ^ (1 << (at % 9))));
    if (ok) accepted.push(at);
    codes.add(fault?.code ?? "accepted");
  }
  expect(accepted).toEqual([]);
  expect([...codes].every((code) => /^(CAR|DAG|BLOCKS|NODE)_[A-Z_]+$/.test(code))).toBe(true);
}, 240_000);
