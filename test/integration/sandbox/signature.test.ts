import { afterAll, describe, expect, it } from "vitest";
import { schemaOf } from "../../../src/batch/schema.ts";
import { BatchWriter } from "../../../src/batch/writer.ts";
import { openLane } from "../../../src/sandbox/lane.ts";
import type { ModuleHandle } from "../../../src/sandbox/port.ts";
import { specOf, watBytes } from "../../support/wat-module.ts";

/** RFC 8032, section 7.1, test 2: key, message of one byte, signature. */
const KEY = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c";
const SIGNATURE =
  "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00";
/** The example of EIP-155: hash, r, s, v. */
const HASH = "daf5a779ae972f972197303d7b574746c7ef83eadac0f2791ad23db92e4c8e53";
const RECOVERABLE =
  "28ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276" +
  "67cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d8300";

const data = (hex: string): string => hex.replaceAll(/../g, (byte) => `\\${byte}`);

/** A module whose one column, an i64, becomes what the body leaves on the stack for a row. */
async function source(body: string): Promise<Uint8Array> {
  return watBytes(`(module
    (import "ipdm" "ed25519_verify" (func $verify (param i32 i32 i32 i32) (result i32)))
    (import "ipdm" "secp256k1_recover" (func $recover (param i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (data (i32.const 64) "${data(KEY)}") (data (i32.const 128) "${data(SIGNATURE)}") (data (i32.const 192) "\\72")
    (data (i32.const 256) "${data(HASH)}") (data (i32.const 320) "${data(RECOVERABLE)}")
    (global $top (mut i32) (i32.const 1024))
    (func (export "ipdm_abi") (result i32) (i32.const 1))
    (func (export "ipdm_alloc") (param $bytes i32) (result i32) (local $at i32)
      (local.set $at (global.get $top))
      (global.set $top (i32.add (global.get $top) (i32.and (i32.add (local.get $bytes) (i32.const 63)) (i32.const -64))))
      (local.get $at))
    (func (export "ipdm_process") (param $batch i32) (param $descriptor i32) (result i32)
      (if (i32.load offset=12 (local.get $batch)) (then
        (i64.store (i32.add (local.get $batch) (i32.load offset=96 (local.get $batch))) ${body})))
      (local.get $batch)))`);
}

const lane = openLane();
afterAll(() => lane.close());

const schema = schemaOf([{ name: "n", type: "i64", nullable: false }]);

async function load(body: string, fuelPerCall = 1e8): Promise<ModuleHandle> {
  return lane.load(specOf(await source(body), { fuelPerCall, fuelPerRow: 0 }));
}

async function run(body: string, fuelPerCall = 1e8): Promise<{ value: unknown; fuel: number }> {
  const writer = new BatchWriter(schema);
  writer.push([0n]);
  const { batch, fuel } = await (await load(body, fuelPerCall)).run(writer.take(), {
    firstRow: 0,
    seed: new Uint8Array(32),
  });
  return { value: batch.columns[0]?.values[0], fuel };
}

const verify = (key: number, message: number, bytes: number, signature: number): string =>
  `(i64.extend_i32_s (call $verify (i32.const ${key}) (i32.const ${message}) (i32.const ${bytes}) (i32.const ${signature})))`;
const recover = (hash: number, signature: number, target: number): string =>
  `(i64.extend_i32_s (call $recover (i32.const ${hash}) (i32.const ${signature}) (i32.const ${target})))`;

describe("signatures for modules", () => {
  it("are checked, and paid for by call and byte whatever comes of it", async () => {
    const valid = await run(verify(64, 192, 1, 128));
    const invalid = await run(verify(64, 193, 1, 128));
    const longer = await run(verify(64, 192, 1001, 128));
    expect([valid.value, invalid.value, longer.value]).toEqual([1n, 0n, 0n]);
    expect(invalid.fuel).toBe(valid.fuel);
    expect(longer.fuel - valid.fuel).toBe(2000);
    expect(valid.fuel).toBeGreaterThan(100_000);
    expect(valid.fuel).toBeLessThan(100_200);
  });

  it("tell the key that made them", async () => {
    const found = await run(`(i64.add ${recover(256, 320, 512)} (i64.load (i32.const 512)))`);
    const [low] = new BigUint64Array(Uint8Array.from(Buffer.from("4bc2a31265153f07", "hex")).buffer);
    expect(found.value).toBe(1n + (low ?? 0n));
    const none = await run(`(i64.add ${recover(256, 128, 512)} (i64.load (i32.const 512)))`);
    expect(none.value).toBe(0n);
    expect(found.fuel).toBeGreaterThan(1_000_000);
    expect(none.fuel).toBe(found.fuel);
  });

  it.each([
    ["a key beyond the memory", verify(65_505, 192, 1, 128)],
    ["a signature beyond the memory", verify(64, 192, 1, 65_473)],
    ["a message beyond the memory", verify(64, 65_536, 1, 128)],
    ["a message of 4 GiB", verify(64, 192, -1, 128)],
    ["an address of 4 GiB", verify(-1, 192, 1, 128)],
    ["a hash beyond the memory", recover(65_505, 320, 512)],
    ["a target beyond the memory", recover(256, 320, 65_473)],
  ])("trap for %s", async (_, body) => {
    await expect(run(body, 1e11)).rejects.toMatchObject({ code: "MODULE_TRAP" });
  });

  it("are not checked without fuel for it", async () => {
    await expect(run(verify(64, 192, 1, 128), 90_000)).rejects.toMatchObject({ code: "MODULE_FUEL_EXHAUSTED" });
    await expect(run(verify(64, 192, 40_000, 128), 150_000)).rejects.toMatchObject({ code: "MODULE_FUEL_EXHAUSTED" });
    await expect(run(verify(64, 192, -1, 128))).rejects.toMatchObject({ code: "MODULE_FUEL_EXHAUSTED" });
    await expect(run(recover(256, 320, 512), 900_000)).rejects.toMatchObject({ code: "MODULE_FUEL_EXHAUSTED" });
  });
});
