import { describe, expect, it } from "vitest";
import { formatTimestamp, parseTimestamp } from "../../../../src/batch/text/timestamp.ts";

describe("timestamps as text", () => {
  const same: readonly (readonly [text: string, micros: bigint])[] = [
    ["1970-01-01T00:00:00Z", 0n],
    ["2001-01-01T00:01:00Z", 978_307_260_000_000n],
    ["2000-02-29T23:59:59.999999Z", 951_868_799_999_999n],
    ["1969-12-31T23:59:59.999999Z", -1n],
    ["0000-01-01T00:00:00Z", -62_167_219_200_000_000n],
    ["9999-12-31T23:59:59.999999Z", 253_402_300_799_999_999n],
    ["+010000-01-01T00:00:00Z", 253_402_300_800_000_000n],
    ["-000001-12-31T23:59:59.000001Z", -62_167_219_200_999_999n],
    ["+294247-01-10T04:00:54.775807Z", 2n ** 63n - 1n],
    ["-290308-12-21T19:59:05.224192Z", -(2n ** 63n)],
  ];
  for (const [text, micros] of same) {
    it(`${text} is ${micros} µs, both ways`, () => {
      expect(BigInt(parseTimestamp(text) ?? Number.NaN)).toBe(micros);
      expect(formatTimestamp(micros)).toBe(text);
    });
  }

  const read: readonly (readonly [text: string, micros: bigint])[] = [
    ["2001-01-01", 978_307_200_000_000n],
    ["2001-01-01 00:01", 978_307_260_000_000n],
    ["2001-01-01T02:01:00+02:00", 978_307_260_000_000n],
    ["2001-01-01T02:01:00+0200", 978_307_260_000_000n],
    ["2000-12-31t19:01:00-05", 978_307_260_000_000n],
    ["2001-01-01T00:01:00.5z", 978_307_260_500_000n],
    ["2001-01-01T00:01:00,000001000", 978_307_260_000_001n],
  ];
  for (const [text, micros] of read)
    it(`reads ${text}`, () => expect(BigInt(parseTimestamp(text) ?? Number.NaN)).toBe(micros));

  const refused = [
    "",
    "now",
    "2001",
    "2001-1-1",
    "2001-02-29",
    "1900-02-29",
    "2001-04-31",
    "2001-00-10",
    "2001-13-01",
    "2001-01-00",
    "2001-01-01T24:00:00Z",
    "2001-01-01T00:60:00Z",
    "2001-01-01T00:00:60Z",
    "2001-01-01T00:00:00.0000001Z",
    "2001-01-01T00:00:00+24:00",
    "2001-01-01T00:00:00Z ",
    "-000000-01-01",
    "+294247-01-10T04:00:54.775808Z",
    "-290308-12-21T19:59:05.224191Z",
    "2001-01-01T00",
    "20010101",
  ];
  for (const text of refused) it(`refuses ${JSON.stringify(text)}`, () => expect(parseTimestamp(text)).toBeUndefined());
});
