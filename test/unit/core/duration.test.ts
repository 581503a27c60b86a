import { describe, expect, it } from "vitest";
import { parseDuration } from "../../../src/core/duration.ts";

describe("parseDuration", () => {
  it("gives microseconds", () => {
    const known = {
      "1d": 86_400_000_000,
      "2h": 7_200_000_000,
      "30m": 1_800_000_000,
      "15s": 15_000_000,
      "250ms": 250_000,
      "10us": 10,
      "0s": 0,
    };
    for (const [text, us] of Object.entries(known)) expect(parseDuration(text)).toBe(us);
  });

  it("refuses everything else, with a hint", () => {
    for (const text of [
      "",
      "1",
      "d",
      "1.5h",
      "-1s",
      "1 d",
      "1D",
      "1d2h",
      "1w",
      "٣s",
      "9007199254740992us",
      "1000000d",
      `${"9".repeat(400)}s`,
    ]) {
      expect(() => parseDuration(text), text).toThrow(
        expect.objectContaining({ code: "DURATION_INVALID", kind: "config", hint: expect.any(String) }),
      );
    }
  });
});
