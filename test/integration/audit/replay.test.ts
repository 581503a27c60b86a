import { copyFile, mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { verifyReceipt } from "../../../proofs/receipt/verify.ts";
import { type FileReplay, type ReplayFileOptions, replayReceiptFile } from "../../../src/audit/replay-file.ts";
import { rawBlock } from "../../../src/dag/block.ts";
import type { JournalEntry } from "../../../src/journal/port.ts";
import { sha256 } from "../../../src/node.ts";
import { watBytes, watSource } from "../../support/wat-module.ts";
import {
  type Fixture,
  flight,
  flightsCsv,
  LATE_WASM,
  ROWS,
  readBytes,
  runFixture,
  verifyPorts,
} from "../proofs/receipt/receipt-fixture.ts";
import { Forgery } from "../proofs/receipt/receipt-forger.ts";

const BATCH = 100;

let fixture: Fixture;
/** The receipt in a folder without data. */
let alone: string;

beforeAll(async () => {
  fixture = await runFixture({ replicas: 1, batchRows: BATCH, proved: 1 });
  await mkdir(join(fixture.dir, "alone"));
  alone = join(fixture.dir, "alone", "receipt.car");
  await copyFile(fixture.receipt, alone);
}, 120_000);

afterAll(() => fixture[Symbol.asyncDispose]());

const write = async (name: string, content: string | Uint8Array): Promise<string> => {
  const path = join(fixture.dir, name);
  await writeFile(path, content);
  return path;
};
const replay = (path: string, options: ReplayFileOptions = {}): Promise<FileReplay> => replayReceiptFile(path, options);
const withInput = (flights: string): ReplayFileOptions => ({ inputs: { flights } });
const first = ({ report }: FileReplay): unknown => report?.mismatches[0];

describe("replaying an honest receipt", () => {
  it("comes out the same from the data folder, from the input, and from both", async () => {
    for (const [path, options] of [
      [fixture.receipt, {}],
      [alone, withInput(fixture.csv)],
      [alone, { data: join(fixture.out, ".data") }],
      [fixture.receipt, withInput(fixture.csv)],
    ] as const) {
      const { ok, report } = await replay(path, options);
      expect({ ok, mismatches: report?.mismatches }).toEqual({ ok: true, mismatches: [] });
      expect(report?.statements).toBe(2);
      expect(report?.transitions).toBeGreaterThan(20);
    }
  });

  it("comes out the same where equal batches come again and again", async () => {
    const csv = flightsCsv((lines) => [lines[0] as string, ...Array.from({ length: 260 }, () => flight(0))]);
    await using equal = await runFixture({ replicas: 1, batchRows: 1, csv, proved: 0 });
    expect((await replay(equal.receipt)).report).toMatchObject({ ok: true, mismatches: [] });
  }, 60_000);

  it("needs the file itself where there were no rows", async () => {
    await using empty = await runFixture({ replicas: 1, csv: flightsCsv((lines) => lines.slice(0, 1)), proved: 0 });
    await expect(replay(empty.receipt)).rejects.toMatchObject({ code: "NEEDS_DATA", kind: "unreachable" });
    expect((await replay(empty.receipt, withInput(empty.csv))).report).toMatchObject({
      ok: true,
      mismatches: [],
      statements: 2,
    });
  }, 60_000);
});

describe("replaying without the data", () => {
  it("says which batch it needs", async () => {
    const { receipt } = verifyReceipt(await verifyPorts(), await readBytes(alone));
    const batch = receipt?.tasks.find(({ task }) => task === "delayed")?.commits[0]?.slot.input.batches[0]?.toString();
    for (const options of [{}, { data: join(fixture.dir, "nowhere") }, { data: fixture.dir }]) {
      await expect(replay(alone, options)).rejects.toMatchObject({
        code: "NEEDS_DATA",
        kind: "unreachable",
        where: batch,
        facts: { cid: batch },
      });
    }
  });

  it("knows its inputs and tasks by name", async () => {
    await expect(replay(alone, { inputs: { fights: fixture.csv } })).rejects.toMatchObject({
      code: "INPUT_UNKNOWN",
      kind: "usage",
    });
    await expect(replay(alone, { modules: { daily2: LATE_WASM } })).rejects.toMatchObject({
      code: "TASK_UNKNOWN",
      kind: "usage",
    });
    await expect(replay(alone, withInput(join(fixture.dir, "no.csv")))).rejects.toMatchObject({
      code: "SOURCE_MISSING",
    });
  });
});

describe("replaying another input", () => {
  const row = 237;
  const changed = (): string =>
    flightsCsv((lines) => lines.with(row + 1, (lines[row + 1] as string).replace(/,-?\d+,/, ",77,")));

  it("names statement, batch and row of a changed cell", async () => {
    const path = await write("cell.csv", changed());
    const found = { code: "INPUT_DIFFERS", where: "delayed/0", batch: 2, row, rows: 1 };
    expect(first(await replay(fixture.receipt, withInput(path)))).toMatchObject(found);
    expect(first(await replay(alone, { ...withInput(path), data: join(fixture.out, ".data") }))).toMatchObject(found);
  });

  it("names the rows that it can be without the recorded ones, and does not pretend to know which", async () => {
    const result = await replay(alone, withInput(await write("cell.csv", changed())));
    expect(result.ok).toBe(false);
    expect(first(result)).toMatchObject({ code: "INPUT_DIFFERS", where: "delayed/0", batch: 2, row: 200, rows: BATCH });
    expect((first(result) as { message: string }).message).toContain("one of the rows 200 to 299");
  });

  it.each([
    ["a row appended", (lines: string[]) => [...lines, flight(ROWS)], 5, ROWS],
    ["the last row removed", (lines: string[]) => lines.slice(0, -1), 5, ROWS - 1],
    ["a row removed from the middle", (lines: string[]) => lines.toSpliced(row + 1, 1), 2, row],
    [
      "two rows exchanged",
      (lines: string[]) => lines.with(11, lines[12] as string).with(12, lines[11] as string),
      0,
      10,
    ],
    ["half of the rows", (lines: string[]) => lines.slice(0, 201), 2, 200],
    ["twice the rows", (lines: string[]) => [...lines, ...lines.slice(1)], 5, ROWS],
    ["no rows", (lines: string[]) => lines.slice(0, 1), 0, 0],
    ["an empty cell", (lines: string[]) => lines.with(302, (lines[302] as string).replace(/,\w+$/, ",")), 3, 301],
  ])("finds %s", async (_, change, batch, at) => {
    const result = await replay(fixture.receipt, withInput(await write("other.csv", flightsCsv(change))));
    expect(result.ok).toBe(false);
    expect(first(result)).toMatchObject({ code: "INPUT_DIFFERS", where: "delayed/0", batch, row: at, rows: 1 });
  });

  it("finds a file that cannot be read like the recorded one", async () => {
    const result = await replay(
      fixture.receipt,
      withInput(
        await write(
          "text.csv",
          flightsCsv((lines) => lines.with(row + 1, "yesterday,late,far,away")),
        ),
      ),
    );
    expect(first(result)).toMatchObject({ code: "INPUT_DIFFERS", where: "delayed/0" });
  });

  it.each([
    ["other columns", (lines: string[]) => lines.with(0, (lines[0] as string).replace("origin", "from"))],
    ["no header", () => []],
  ])("finds a file of %s", async (_, change) => {
    const result = await replay(fixture.receipt, withInput(await write("columns.csv", flightsCsv(change))));
    expect(first(result)).toMatchObject({ code: "INPUT_DIFFERS", where: "delayed/0", batch: 0, row: 0 });
  });

  it("finds the same rows in other bytes", async () => {
    for (const path of [
      await write("same.csv.gz", gzipSync(flightsCsv())),
      await write("crlf.csv", flightsCsv().replaceAll("\n", "\r\n")),
    ]) {
      const result = await replay(fixture.receipt, withInput(path));
      expect(result).toMatchObject({
        ok: false,
        report: { statements: 2, mismatches: [{ code: "INPUT_DIFFERS", where: "inputs/flights" }] },
      });
    }
  });
});

describe("replaying another module", () => {
  it("names statement, batch and row of the first difference", async () => {
    // Row 30 is 14 minutes late: the recorded output goes 0, 8, 16, 24, 32, this one has it in between.
    const path = await write("other.wasm", await otherModule());
    const result = await replay(fixture.receipt, { modules: { delayed: path } });
    expect(result.ok).toBe(false);
    expect(first(result)).toMatchObject({ where: "delayed/0", code: "OUTPUT_DIFFERS", batch: 0, row: 4, rows: 1 });
    const blind = await replay(alone, { ...withInput(fixture.csv), modules: { delayed: path } });
    expect(first(blind)).toMatchObject({ where: "delayed/0", code: "OUTPUT_DIFFERS", batch: 0, row: 0 });
  });

  it("finds another module that does the same", async () => {
    const bytes = await readBytes(LATE_WASM);
    // A custom section, which changes nothing but the bytes (WebAssembly core specification, 5.5.3).
    const path = await write("same.wasm", Uint8Array.of(...bytes, 0, 2, 1, 120));
    const result = await replay(fixture.receipt, { modules: { delayed: path } });
    expect(first(result)).toMatchObject({ code: "STATEMENT_DIFFERS", where: "delayed/0" });
  });

  it("stops at a call that takes too long, which is no difference, and says what to do", async () => {
    const path = await write(
      "endless.wasm",
      await watBytes(watSource({ process: "(loop (br 0)) (local.get $batch)" })),
    );
    const options = { modules: { delayed: path }, timeoutMs: 300 };
    await expect(replay(fixture.receipt, options)).rejects.toMatchObject({
      code: "MODULE_TIMEOUT",
      message: expect.stringContaining("300"),
      hint: expect.stringContaining("--timeout"),
    });
    for (const timeoutMs of [0, -1, Number.NaN, 3_600_001])
      await expect(replay(fixture.receipt, { timeoutMs })).rejects.toMatchObject({ code: "USAGE", kind: "usage" });
    expect((await replay(fixture.receipt, { timeoutMs: 3_600_000 })).ok).toBe(true);
  });

  it("refuses what is no module", async () => {
    await expect(replay(fixture.receipt, { modules: { delayed: fixture.csv } })).rejects.toMatchObject({
      code: expect.stringMatching(/^MODULE_/),
      kind: "config",
      message: expect.stringContaining(rawBlock(sha256, await readBytes(fixture.csv)).cid.toString()),
      where: `delayed: ${fixture.csv}`,
    });
    await expect(replay(fixture.receipt, { modules: { delayed: "/nowhere.wasm" } })).rejects.toMatchObject({
      code: "MODULE_MISSING",
    });
  });
});

describe("replaying a forged journal", () => {
  const forgedWith = async (change: (forgery: Forgery) => void): Promise<FileReplay> => {
    const ports = await verifyPorts();
    const forgery = new Forgery(await readBytes(fixture.receipt));
    change(forgery);
    const bytes = forgery.seal(fixture.signers);
    // The submitter signs its own journals: that what they tell is what machines do, only a replay shows.
    expect(verifyReceipt(ports, bytes).fault).toBeUndefined();
    const path = await write("forged.car", bytes);
    return replay(path, { data: join(fixture.out, ".data") });
  };
  const entryWith = (forgery: Forgery, prefix: string, type: string): Parameters<Forgery["edit"]>[0] => {
    let cid = forgery.journal(prefix)[1];
    while (!forgery.get<JournalEntry>(cid).events.some((event) => (event as { type: string }).type === type))
      cid = forgery.get<JournalEntry>(cid).prev as typeof cid;
    return cid;
  };

  it("finds events in another order", async () => {
    const result = await forgedWith((forgery) => {
      const [a, b] = [entryWith(forgery, "task/delayed/", "pulled"), entryWith(forgery, "task/delayed/", "executed")];
      const [one, two] = [forgery.get<JournalEntry>(a), forgery.get<JournalEntry>(b)];
      forgery.edit<JournalEntry>(a, (entry) => ({ ...entry, events: two.events }));
      forgery.edit<JournalEntry>(b, (entry) => ({ ...entry, events: one.events }));
    });
    expect(result.ok).toBe(false);
    expect(first(result)).toMatchObject({
      code: "NON_DETERMINISM",
      where: expect.stringMatching(/^task\/delayed\/.+:\d+$/),
    });
  });

  it("finds an altered event, and an altered request", async () => {
    const altered = await forgedWith((forgery) =>
      forgery.edit<JournalEntry>(entryWith(forgery, "task/delayed/", "pulled"), (entry) => ({
        ...entry,
        events: [{ ...(entry.events[0] as object), end: false }] as JournalEntry["events"],
      })),
    );
    expect(altered.report?.mismatches.length).toBeGreaterThan(0);
    const asked = await forgedWith((forgery) =>
      forgery.edit<JournalEntry>(entryWith(forgery, "domain/", "completed"), (entry) => ({ ...entry, requests: [] })),
    );
    expect(first(asked)).toMatchObject({ code: "NON_DETERMINISM", where: expect.stringMatching(/^domain\//) });
  });

  it("does not replay what does not verify", async () => {
    const bytes = await readBytes(fixture.receipt);
    const result = await replay(await write("broken.car", bytes.with(500, (bytes[500] as number) ^ 1)));
    expect(result).toMatchObject({
      ok: false,
      report: undefined,
      fault: { code: expect.stringMatching(/^[A-Z_]+$/), where: expect.any(String) },
    });
  });
});

it("reads the input while its folder has moved on", async () => {
  await rename(join(fixture.out, ".data"), join(fixture.out, "moved"));
  try {
    await expect(replay(fixture.receipt)).rejects.toMatchObject({ code: "NEEDS_DATA" });
    expect((await replay(fixture.receipt, { data: join(fixture.out, "moved") })).ok).toBe(true);
  } finally {
    await rename(join(fixture.out, "moved"), join(fixture.out, ".data"));
  }
});

/** The module of the example for flights late by 14 minutes: the constant of its one `i64.const 15; i64.ge_s` lowered. */
async function otherModule(): Promise<Uint8Array> {
  const bytes = await readBytes(LATE_WASM);
  const at = Buffer.from(bytes).indexOf(Buffer.of(0x42, 15, 0x59));
  return bytes.with(at + 1, 14);
}
