import { describe, expect, it } from "vitest";
import type { Config } from "../../../src/config/config.ts";
import { withRanges } from "../../../src/config/inputs.ts";
import { parseConfig } from "../../../src/config/load.ts";

const TEXT = `name: p
sources:
  blocks: { ethereum: ./blocks, range: { from: 1, to: 9 } }
  rows: { file: ./rows.csv }
outputs: { a: { input: blocks, file: a.csv }, b: { input: rows, file: b.csv } }
`;
const config = async (): Promise<Config> => (await parseConfig(TEXT, "/p/ipdm.yaml")).config;

describe("--range", () => {
  it("gives a chain another first and last block", async () => {
    const of = (text: string, given: Config): object => withRanges(given, { blocks: text }).sources[0] ?? {};
    expect(of("5..7", await config())).toMatchObject({ from: 5, to: 7 });
    expect(of("5..", await config())).toMatchObject({ from: 5, to: null });
    expect(of("7..7", await config())).toMatchObject({ from: 7, to: 7 });
    expect(withRanges(await config(), {})).toEqual(await config());
  });

  it.each([
    [{ blocks: "7..5" }, "USAGE", "--range takes name=first..last, not blocks=7..5"],
    [{ blocks: "..5" }, "USAGE", "not blocks=..5"],
    [{ blocks: "0x5..0x7" }, "USAGE", "not blocks=0x5..0x7"],
    [{ blocks: "5" }, "USAGE", "not blocks=5"],
    [{ blocks: "9007199254740993.." }, "USAGE", "first..last"],
    [{ rows: "5..7" }, "USAGE", "source rows is no chain"],
    [{ block: "5..7" }, "INPUT_UNKNOWN", "no source block"],
  ])("is refused where it is none: %j", async (ranges, code, message) => {
    const given = await config();
    expect(() => withRanges(given, ranges)).toThrow(
      expect.objectContaining({ code, kind: "usage", message: expect.stringContaining(message) as string }),
    );
  });
});
