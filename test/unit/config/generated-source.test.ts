import { describe, expect, it } from "vitest";
import { withInputs } from "../../../src/config/inputs.ts";
import { parseConfig } from "../../../src/config/load.ts";

const configOf = (source: string): string =>
  `name: demo\nsources:\n  bids: ${source}\noutputs:\n  all: { input: bids, file: all.csv }\n`;
const parsed = (source: string) => parseConfig(configOf(source), "/s/ipdm.yaml", "i.yaml");

describe("a source that is generated", () => {
  it("comes out with its generator and the usual rate, and may have an event time", async () => {
    const { config } = await parsed("{ generate: { nexmark: bids, events: 100 }, time: { column: date_time } }");
    expect(config.sources).toEqual([
      {
        kind: "generated",
        name: "bids",
        spec: { generator: "nexmark/1", table: "bids", events: 100, rate: 10_000 },
        time: { column: "date_time", outOfOrderUs: 0 },
      },
    ]);
  });

  it.each([
    ["{ generate: { nexmark: bids } }", /sources\.bids\.generate\.events is missing/],
    ["{ generate: { nexmark: bid, events: 1 } }", /nexmark must be persons or auctions or bids/],
    ["{ generate: { nexmark: bids, events: 0 } }", /events must be at least 1/],
    ["{ generate: { nexmark: bids, events: 4294967297 } }", /events must be at most 4294967296/],
    ["{ generate: { nexmark: bids, events: 5, seed: 1 } }", /seed is not a key of the configuration/],
    ["{ generate: { nexmark: bids, events: 5 }, file: a.csv }", /both file and generate/],
    ["{ generate: { nexmark: bids, events: 5 }, columns: { a: i8 } }", /columns has no meaning with generate/],
    ["{ generate: { nexmark: bids, events: 5 }, verify: full }", /verify has no meaning with generate/],
  ])("refuses %s", async (source, message) => {
    await expect(parsed(source)).rejects.toMatchObject({
      code: "CONFIG_INVALID",
      message: expect.stringMatching(message),
    });
  });

  it("is read from no file", async () => {
    const { config } = await parsed("{ generate: { nexmark: bids, events: 5 } }");
    await expect(withInputs(config, { bids: "a.csv" })).rejects.toMatchObject({ code: "INPUT_UNKNOWN", kind: "usage" });
  });
});
