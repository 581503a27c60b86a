import { expect, it } from "vitest";
import { bytesText } from "../../../src/cli/counted.ts";

it("tells sizes in the unit that people read", () => {
  expect([0, 1, 1023, 1024, 10_239, 286_720, 5 * 1024 ** 2, 3 * 1024 ** 3].map(bytesText)).toEqual([
    ...["0 bytes", "1 byte", "1,023 bytes", "1.0 KiB", "10.0 KiB", "280 KiB", "5.0 MiB", "3.0 GiB"],
  ]);
});
