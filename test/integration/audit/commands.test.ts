import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { toHex } from "../../../src/core/bytes.ts";
import { type Block, decodeBlock, jsonBlock } from "../../../src/dag/block.ts";
import { encodeCar, readCar } from "../../../src/dag/car.ts";
import { sha256 } from "../../../src/node.ts";
import { type Said, say } from "../../support/say.ts";
import type { Fixture } from "../proofs/receipt/receipt-fixture.ts";
import { runSmall } from "../proofs/receipt/small-receipt.ts";

let fixture: Fixture;
let alone: string;

beforeAll(async () => {
  fixture = await runSmall();
  await mkdir(join(fixture.dir, "alone"));
  alone = join(fixture.dir, "alone", "receipt.car");
  await copyFile(fixture.receipt, alone);
}, 120_000);

afterAll(() => fixture[Symbol.asyncDispose]());

const file = async (name: string, content: string | Uint8Array): Promise<string> => {
  const path = join(fixture.dir, name);
  await writeFile(path, content);
  return path;
};
const withoutTraces = ({ text, err }: Said): void => expect(`${text}${err}`).not.toMatch(/^\s+at .+:\d+:\d+/m);

describe("verify", () => {
  it("ends with one line for programs", async () => {
    const said = await say("verify", fixture.receipt, "--json");
    const check = { ok: true, count: expect.any(Number) };
    expect(said.exit).toBe(0);
    expect(said.last).toMatchObject({
      v: 1,
      event: "verified",
      ok: true,
      trust: "self-asserted",
      quorum: { n: 1, q: 1, f: 0 },
      checks: {
        blocks: check,
        links: check,
        merkle: check,
        groth16: { ok: true, count: 1 },
        signatures: check,
        seal: check,
      },
    });
  });

  it("separates what is proved of an input from what is attested", async () => {
    const { exit, last } = await say("verify", alone, "--complete", "--json");
    const { proved, attested } = last["complete"] as Record<string, { what: string }[]>;
    expect(exit).toBe(0);
    expect(proved?.map(({ what }) => what)).toEqual(["coverage", "content", "rows"]);
    expect(attested?.map(({ what }) => what)).toEqual(["content", "work"]);
    expect((await say("verify", alone, "--complete")).text).toContain("the seal covers rows 0 to 298 of flights once");
  });

  it("says in words what it checked, and what a receipt cannot show", async () => {
    const { exit, text } = await say("verify", fixture.receipt);
    expect(exit).toBe(0);
    expect(text).toContain("VERIFIED as self-asserted");
    expect(text).toContain("cannot show by itself whose keys these are");
    expect(text).toContain("DEVELOPMENT keys");
    expect(text).toContain("Nothing was executed again");
  });

  it("takes the keys and the result that the reader knows", async () => {
    const [signer] = fixture.signers as [Fixture["signers"][number]];
    const key = toHex(signer.publicKey);
    const right = await file("right.json", JSON.stringify({ keys: [key.toUpperCase(), "ab".repeat(32)] }));
    const bare = await file("bare.json", JSON.stringify([key]));
    const marked = await file("marked.json", `\u{feff}${JSON.stringify([key])}`);
    const wrong = await file("wrong.json", JSON.stringify(["ab".repeat(32)]));
    for (const trusted of [right, bare, marked]) {
      const said = await say("verify", fixture.receipt, "--trust", trusted, "--expect", fixture.result, "--json");
      expect(said).toMatchObject({ exit: 0, last: { ok: true, trust: "trusted" } });
    }
    expect(await say("verify", fixture.receipt, "--trust", wrong, "--json")).toMatchObject({
      exit: 5,
      last: {
        event: "verified",
        ok: false,
        trust: "self-asserted",
        code: "VOTE_UNTRUSTED",
        where: `membership/${key}`,
      },
    });
    expect(
      await say(
        "verify",
        fixture.receipt,
        "--expect",
        "bafyreigh7lvi5gamrabzkloxwm36b4bndzs7drhlluknblj2a2px6hu7vm",
        "--json",
      ),
    ).toMatchObject({
      exit: 5,
      last: { ok: false, code: "RESULT_UNEXPECTED", where: fixture.result },
    });
    for (const result of ["nonsense", fixture.result.slice(0, -1)])
      expect(await say("verify", fixture.receipt, "--expect", result, "--json")).toMatchObject({
        exit: 2,
        last: { event: "error", code: "USAGE" },
      });
    for (const content of ["", "{", "[]", '{"keys": ["zz"]}', "42"]) {
      const said = await say("verify", fixture.receipt, "--trust", await file("bad.json", content), "--json");
      expect(said).toMatchObject({ exit: 2, last: { event: "error", code: "TRUST_UNREADABLE" } });
      expect(said.last["hint"]).toContain("64 digits");
      withoutTraces(said);
    }
  });

  it("shows what a terminal would obey in a stranger's receipt", async () => {
    const { root, blocks } = readCar(sha256, await readFile(fixture.receipt));
    const node = decodeBlock(blocks.get(root.toString()) as Block) as object;
    const other = jsonBlock(sha256, { ...node, "\u{1b}[2K\u{1b}[32mVERIFIED\u{9b}0m\r\n": 1 });
    const rest = [...blocks.values()].filter(({ cid }) => !cid.equals(root));
    const { exit, text, err } = await say("verify", await file("obeyed.car", encodeCar(other.cid, [other, ...rest])));
    expect(exit).toBe(5);
    expect(text).toContain("\\u{1b}[2K\\u{1b}[32mVERIFIED\\u{9b}0m");
    expect(`${text}${err}`.replaceAll("\n", "")).not.toMatch(/\p{Cc}/u);
  });

  it("refuses damaged files with a code and a place, without a stack trace", async () => {
    const bytes = await readFile(fixture.receipt);
    const damaged = {
      empty: new Uint8Array(0),
      garbage: "this is no receipt",
      half: bytes.subarray(0, bytes.length / 2),
      flipped: bytes.with(700, (bytes[700] as number) ^ 4),
      more: Buffer.concat([bytes, Buffer.of(0)]),
      twice: Buffer.concat([bytes, bytes]),
    };
    for (const [name, content] of Object.entries(damaged)) {
      for (const command of ["verify", "replay"]) {
        const said = await say(command, await file(`${name}.car`, content), "--json");
        expect(said).toMatchObject({
          exit: 5,
          last: { v: 1, ok: false, code: expect.stringMatching(/^[A-Z_]+$/), where: expect.stringMatching(/./) },
        });
        withoutTraces(said);
      }
      const said = await say("verify", join(fixture.dir, `${name}.car`));
      expect(said.text).toMatch(/NOT VERIFIED: [A-Z_]+ at /);
      withoutTraces(said);
    }
  });

  it("says when there is no file, or no file that can be read", async () => {
    for (const command of ["verify", "replay"]) {
      const missing = await say(command, join(fixture.dir, "none.car"), "--json");
      expect(missing).toMatchObject({ exit: 2, last: { event: "error", code: "RECEIPT_MISSING" } });
      const folder = await say(command, fixture.dir, "--json");
      expect(folder).toMatchObject({ exit: 2, last: { event: "error", code: "RECEIPT_UNREADABLE" } });
      withoutTraces(missing);
      withoutTraces(folder);
    }
  });
});

describe("replay", () => {
  it("refuses what is said of a journal", async () => {
    for (const flag of ["--at", "--from", "--machines"])
      expect((await say("replay", fixture.receipt, flag, "5", "--json")).last).toMatchObject({
        code: "USAGE",
        message: expect.stringContaining(`${flag} is about a journal`),
        exit: 2,
      });
  });

  it("takes the time that a call of a module may have", async () => {
    expect(await say("replay", fixture.receipt, "--timeout", "5m", "--json")).toMatchObject({
      exit: 0,
      last: { ok: true },
    });
    for (const text of ["soon", "60", "0s", "2h", ""]) {
      const said = await say("replay", fixture.receipt, `--timeout=${text}`, "--json");
      expect(said).toMatchObject({ exit: 2, last: { event: "error", code: "USAGE" } });
    }
  });

  it("ends with one line for programs", async () => {
    const said = await say("replay", fixture.receipt, "--json");
    expect(said).toMatchObject({
      exit: 0,
      last: { v: 1, event: "replayed", ok: true, transitions: expect.any(Number), statements: 1, mismatches: 0 },
    });
    expect((await say("replay", fixture.receipt)).text).toContain("REPLAYED: everything came out the same.");
  });

  it("names the first difference", async () => {
    const lines = (await readFile(fixture.csv, "utf8")).split("\n");
    const path = await file("changed.csv", lines.with(151, (lines[151] as string).replace(/,\w+$/, ",ATX")).join("\n"));
    const said = await say("replay", fixture.receipt, "--input", `flights=${path}`, "--json");
    expect(said).toMatchObject({
      exit: 5,
      last: { ok: false, code: "INPUT_DIFFERS", where: "daily/0", first: { batch: 0, row: 150, rows: 1 } },
    });
    const words = await say("replay", fixture.receipt, "--input", `flights=${path}`);
    expect(words).toMatchObject({
      exit: 5,
      text: expect.stringContaining("statement daily/0 on, in batch 0: row 150"),
    });
    expect(words.text).toContain("NOT THE SAME.");
  });

  it("says what it needs", async () => {
    const said = await say("replay", alone, "--json");
    expect(said).toMatchObject({
      exit: 4,
      last: { event: "error", code: "NEEDS_DATA", where: expect.stringMatching(/^bafkrei/) },
    });
    withoutTraces(said);
    expect(await say("replay", alone, "--input", `flights=${fixture.csv}`, "--json")).toMatchObject({
      exit: 0,
      last: { ok: true },
    });
    for (const flag of ["flights", "=x", "flights="])
      expect(await say("replay", alone, "--input", flag, "--json")).toMatchObject({ exit: 2, last: { code: "USAGE" } });
  });
});

describe("verify --row", () => {
  const ROW = "start=2024-01-02T00:00:00Z,origin=LAX";
  const saved = (): string => join(fixture.dir, "row.car");

  /** The saved row's file with another root. */
  async function altered(change: (root: Record<string, unknown>) => Record<string, unknown>): Promise<string> {
    const { root, blocks } = readCar(sha256, await readFile(saved()));
    const node = decodeBlock(blocks.get(root.toString()) as Block) as Record<string, unknown>;
    const other = jsonBlock(sha256, change({ ...node }));
    const rest = [...blocks.values()].filter(({ cid }) => !cid.equals(root));
    return file("altered.car", encodeCar(other.cid, [other, ...rest]));
  }

  it("prints a row with its path, and saves a file that verifies by itself", async () => {
    const said = await say("verify", fixture.receipt, "--row", ROW, "--out", saved(), "--json");
    const row = {
      output: "table",
      row: expect.any(Number) as number,
      rows: expect.any(Number) as number,
      values: expect.stringMatching(/^{"start":"2024-01-02T00:00:00Z".*"origin":"LAX"/) as string,
    };
    expect(said).toMatchObject({ exit: 0, last: { event: "verified", ok: true, row: { ...row, file: saved() } } });
    await copyFile(saved(), join(fixture.dir, "alone", "row.car"));
    const alone = await say("verify", join(fixture.dir, "alone", "row.car"), "--expect", fixture.result, "--json");
    const check = { ok: true, count: expect.any(Number) as number };
    expect(alone).toMatchObject({
      exit: 0,
      last: {
        ok: true,
        result: fixture.result,
        checks: { blocks: check, signatures: check, seal: check, row: check },
        row,
      },
    });
    const words = (await say("verify", saved())).text;
    expect(words).toContain("a quorum of these keys sealed a table with this row");
    expect((await say("verify", fixture.receipt, "--row", ROW)).text).toContain('"origin":"LAX"');
  });

  it("finds what was changed in a saved row", async () => {
    await say("verify", fixture.receipt, "--row", ROW, "--out", saved());
    const cases: [(root: Record<string, unknown>) => Record<string, unknown>, string][] = [
      [(root) => ({ ...root, row: Number(root["row"]) + 1 }), "ROW_PATH_MISMATCH"],
      [(root) => ({ ...root, values: (root["values"] as Uint8Array).with(12, 9) }), "ROW_PATH_MISMATCH"],
      [(root) => ({ ...root, path: (root["path"] as unknown[]).slice(1) }), "ROW_PATH_MISMATCH"],
      [(root) => ({ ...root, output: "other" }), "SEAL_MISMATCH"],
      [(root) => ({ ...root, result: root["membership"] }), "RECEIPT_SHAPE"],
      [(root) => ({ ...root, more: 1 }), "NODE_MALFORMED"],
    ];
    for (const [change, code] of cases)
      expect(await say("verify", await altered(change), "--json")).toMatchObject({
        exit: 5,
        last: { ok: false, code },
      });
    const wrong = await file("stranger.json", JSON.stringify(["ab".repeat(32)]));
    const untrusted = await say("verify", saved(), "--trust", wrong, "--json");
    expect(untrusted).toMatchObject({ exit: 5, last: { ok: false, code: "VOTE_UNTRUSTED", trust: "self-asserted" } });
    const other = ["--expect", "bafyreigh7lvi5gamrabzkloxwm36b4bndzs7drhlluknblj2a2px6hu7vm"];
    expect((await say("verify", saved(), ...other, "--json")).last).toMatchObject({ code: "RESULT_UNEXPECTED" });
    expect((await say("verify", saved(), "--row", ROW, "--json")).last).toMatchObject({ code: "USAGE" });
    for (const words of [
      ["replay", saved()],
      ["diff", saved(), saved()],
    ])
      expect(await say(...(words as [string]), "--json")).toMatchObject({
        exit: 2,
        last: { code: "USAGE", message: expect.stringContaining("is a saved row") },
      });
  });

  it.each([
    ["a row that is not there", ["--row", "origin=ZZZ"], 5, "ROW_MISSING"],
    ["several rows", ["--row", "origin=LAX"], 2, "ROW_AMBIGUOUS"],
    ["a column that is not there", ["--row", "orign=LAX"], 3, "COLUMN_MISSING"],
    ["a value of another type", ["--row", "flights=many"], 2, "USAGE"],
    ["no pairs", ["--row", "flights"], 2, "USAGE"],
    ["an output that is not there", ["--row", ROW, "--output", "rows"], 2, "OUTPUT_UNKNOWN"],
    ["a file for no row", ["--out", "row.car"], 2, "USAGE"],
  ])("says of %s what it is", async (_, args, exit, code) => {
    expect(await say("verify", fixture.receipt, ...args, "--json")).toMatchObject({ exit, last: { code } });
  });

  it("needs the table's batches", async () => {
    const said = await say("verify", alone, "--row", ROW, "--json");
    expect(said).toMatchObject({
      exit: 4,
      last: { code: "NEEDS_DATA", where: expect.stringMatching(/^bafkrei/) as string },
    });
    const none = join(fixture.dir, "none");
    const told = await say("verify", alone, "--row", ROW, "--data", none, "--json");
    expect(told.last["message"]).toContain(`and there is no data folder ${none}: it holds rows of table`);
    const other = await say("verify", alone, "--row", ROW, "--data", dirname(alone), "--json");
    expect(other.last["message"]).toContain(`${dirname(alone)} is not the data folder of a run`);
  });
});

describe("explain", () => {
  it("says what each block of a receipt and of its data is, and what it links", async () => {
    const root = String((await say("verify", fixture.receipt, "--json")).last["root"]);
    const receipt = await say("explain", root, "--receipt", fixture.receipt, "--json");
    expect(receipt).toMatchObject({ exit: 0, last: { event: "explained", what: "the root of a receipt" } });
    const links = receipt.last["links"] as Record<string, string>;
    const kinds = new Set<string>();
    for (const cid of Object.values(links)) {
      const { last } = await say("explain", cid, "--receipt", fixture.receipt, "--json");
      kinds.add(String(last["what"]).split(/[:,]/)[0] as string);
    }
    expect([...kinds].sort()).toEqual([
      ...["a certificate", "a journal's entry", "a membership", "a proof of a window's row", "a result", "a seal"],
      ...["a statement", "an input's anchor", "the configuration of a run"],
    ]);
    const statement = await say("explain", links["statements.0"] as string, "--receipt", fixture.receipt, "--json");
    const slot = (statement.last["links"] as Record<string, string>)["slot"] as string;
    const about = (await say("explain", slot, "--receipt", fixture.receipt)).text;
    expect(about).toContain("a slot, daily/0: a piece of work as its submitter signed it");
    const batch = (await say("explain", slot, "--receipt", fixture.receipt, "--json")).last["links"] as object;
    const cid = (batch as Record<string, string>)["input.batches.0"] as string;
    const data = await say("explain", cid, "--data", join(fixture.out, ".data"), "--json");
    expect(data.last).toMatchObject({ what: "a batch of rows", fields: { rows: "256" } });
  });

  it("needs a place where the block is", async () => {
    const args = ["bafyreigh7lvi5gamrabzkloxwm36b4bndzs7drhlluknblj2a2px6hu7vm", "--receipt", fixture.receipt];
    expect(await say("explain", ...args, "--json")).toMatchObject({ exit: 4, last: { code: "NEEDS_DATA" } });
  });
});
