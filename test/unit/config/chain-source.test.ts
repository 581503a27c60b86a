import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadConfig, parseConfig } from "../../../src/config/load.ts";

const HASH = `0x${"ab".repeat(32)}`;
const configOf = (source: string, more = ""): string =>
  `name: demo\nsources:\n  blocks: ${source}\n${more}outputs:\n  all: { input: blocks, file: all.csv }\n`;
const refusal = async (source: string, more?: string) =>
  parseConfig(configOf(source, more), "/s/ipdm.yaml", "i.yaml").then(
    () => expect.unreachable(),
    (error: unknown) => error,
  );

describe("a source that is a chain", () => {
  it("comes out with defaults and absolute places", async () => {
    const { config } = await parseConfig(configOf("{ ethereum: ./blocks }"), "/s/ipdm.yaml");
    expect(config.sources).toEqual([
      {
        kind: "ethereum",
        name: "blocks",
        places: [{ written: "./blocks", path: "/s/blocks" }],
        chain: null,
        verify: "full",
        senders: "omit",
        from: null,
        to: null,
        anchor: null,
        endpoints: "compare",
        finality: 64,
      },
    ]);
  });

  it("takes endpoints, a range and an anchor", async () => {
    const source = `{ ethereum: ["http://127.0.0.1:1", "https://a.example/x"], chain: 1, verify: links, senders: recover, range: { from: 5, to: 9 }, anchor: { block: 4, hash: "${HASH}" }, finality: 0 }`;
    const { config } = await parseConfig(configOf(source), "/s/ipdm.yaml");
    expect(config.sources[0]).toMatchObject({
      places: [{ path: "http://127.0.0.1:1" }, { path: "https://a.example/x" }],
      ...{ chain: "1", verify: "links", senders: "recover", from: 5, to: 9, finality: 0 },
      anchor: { block: 4, hash: HASH },
    });
  });

  it.each([
    ["{ verify: full }", /sources\.blocks\.file is missing/],
    ["{ file: a.csv, ethereum: ./b }", /both file and ethereum/],
    ["{ ethereum: ./b, solana: ./b }", /both ethereum and solana/],
    ["{ file: a.csv, verify: full }", /verify has no meaning with file/],
    ["{ ethereum: ./b, columns: { a: i8 } }", /columns has no meaning with ethereum/],
    ["{ ethereum: ./b, time: { column: a } }", /time has no meaning with ethereum/],
    ['{ ethereum: ["./b", "http://x.example"] }', /both endpoints and files/],
    ['{ ethereum: "http://x.example" }', /range\.from is missing/],
    ['{ ethereum: "http://[", range: { from: 1 } }', /is no address/],
    ["{ ethereum: ./b, range: { from: 9, to: 5 } }", /range\.to is 5, before range\.from, 9/],
    [`{ ethereum: ./b, anchor: "${HASH.slice(0, 40)}" }`, /is no hash/],
    [`{ solana: ./b, anchor: "${HASH}" }`, /is no hash/],
    ["{ solana: ./b, verify: hash }", /a blockhash of Solana cannot be recomputed/],
    ["{ solana: ./b, senders: recover }", /senders has no meaning with solana/],
    ["{ ethereum: ./b, verify: all }", /verify must be none or hash or links or full/],
  ])("is refused as %s", async (source, message) => {
    expect(await refusal(source)).toMatchObject({ code: "CONFIG_INVALID", message: expect.stringMatching(message) });
  });

  it("has no event time of its own", async () => {
    const tasks = "tasks:\n  daily: { input: blocks, window: { tumble: 1d }, aggregate: { n: count() } }\n";
    expect(await refusal("{ ethereum: ./b }", tasks)).toMatchObject({
      code: "CONFIG_INVALID",
      hint: expect.stringMatching(/a task between them/),
    });
  });
});

describe("other places for sources", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "inputs-"));
    await writeFile(join(folder, "ipdm.yaml"), configOf("{ ethereum: ./none }"));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it("replace those of the configuration, and have to be there", async () => {
    const load = (place: string) => loadConfig(folder, { inputs: { blocks: place } });
    expect((await load(folder)).config.sources[0]).toMatchObject({ places: [{ path: folder }] });
    expect((await load("http://127.0.0.1:1")).config.sources[0]).toMatchObject({
      places: [{ path: "http://127.0.0.1:1" }],
    });
    await expect(load(join(folder, "nothing"))).rejects.toMatchObject({ code: "CONFIG_FILE_MISSING" });
    await expect(loadConfig(folder)).rejects.toMatchObject({ code: "CONFIG_FILE_MISSING" });
  });

  it("are refused for a name that is no source", async () => {
    await expect(loadConfig(folder, { inputs: { block: folder } })).rejects.toMatchObject({
      code: "INPUT_UNKNOWN",
      kind: "usage",
      hint: "did you mean blocks?",
    });
  });
});
