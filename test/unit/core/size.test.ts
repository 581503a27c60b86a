import { describe, expect, it } from "vitest";
import { parseSize, sizeText } from "../../../src/core/size.ts";

describe("parseSize", () => {
  it.each([
    ["0B", 0],
    ["512B", 512],
    ["1kB", 1000],
    ["1KB", 1000],
    ["64KiB", 65_536],
    ["256MiB", 268_435_456],
    ["1.5GiB", 1_610_612_736],
    ["2GB", 2_000_000_000],
    ["0.001kB", 1],
    ["8191TiB", 8191 * 2 ** 40],
  ])("%s", (text, bytes) => expect(parseSize(text)).toBe(bytes));

  it.each(["", "256", "MiB", "256 MiB", "-1B", "1mb", "1.5B", "0.1KiB", "8192TiB", "01B", "1e3B", "1.2345678MB", "∞B"])(
    "SIZE_INVALID: %j",
    (text) => {
      expect(() => parseSize(text)).toThrow(expect.objectContaining({ code: "SIZE_INVALID", kind: "config" }));
    },
  );
});

describe("sizeText", () => {
  it.each([
    [0, "0B"],
    [1000, "1000B"],
    [65_536, "64KiB"],
    [268_435_456, "256MiB"],
    [4 * 2 ** 30, "4GiB"],
  ])("%i", (bytes, text) => {
    expect(sizeText(bytes)).toBe(text);
    expect(parseSize(text)).toBe(bytes);
  });
});
