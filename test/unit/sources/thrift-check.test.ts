import { describe, expect, it } from "vitest";
import { checkThrift } from "../../../src/sources/parquet/thrift-check.ts";

const check =
  (...bytes: readonly number[]) =>
  () =>
    checkThrift(Uint8Array.from(bytes), 0);

describe("the walk over a compact Thrift structure", () => {
  it("accepts what is whole", () => {
    expect(check(0)).not.toThrow();
    expect(check(0x15, 0x02, 0x11, 0x12, 0x18, 2, 65, 66, 0x19, 0x2c, 0, 0x15, 1, 0, 0)).not.toThrow();
  });
  it("refuses lists and texts longer than what is left", () => {
    expect(check(0x19, 0xfc, 0xff, 0xff, 0xff, 0x0f, 0, 0)).toThrow(RangeError);
    expect(check(0x19, 0xf1, 0xff, 0xff, 0x7f)).toThrow(RangeError);
    expect(check(0x18, 0xff, 0x7f, 0)).toThrow(RangeError);
    expect(check(0x15, 0x02)).toThrow(RangeError);
  });
  it("refuses deep nesting", () => {
    expect(check(...Array.from({ length: 100_000 }, () => 0x1c))).toThrow(/deeper/);
    expect(check(0x19, ...Array.from({ length: 100_000 }, () => 0x19))).toThrow(/deeper/);
  });
  it("refuses unknown types and endless numbers", () => {
    expect(check(0x1b, 0)).toThrow(RangeError);
    expect(check(0x15, ...Array.from({ length: 20 }, () => 0xff))).toThrow(RangeError);
  });
});
