import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Batch } from "../../../src/batch/batch.ts";
import { BatchWriter } from "../../../src/batch/writer.ts";
import { openLane } from "../../../src/sandbox/lane.ts";
import type { ModuleHandle, ModuleSpec } from "../../../src/sandbox/port.ts";
import { checkRowsProperty } from "../../../src/sandbox/rows-property.ts";
import { compileTransform } from "../../support/c-modules.ts";
import { hasClang } from "../../support/clang.ts";
import { makeTestFolder, type TestFolder } from "../../support/folder.ts";
import { AT, transformBytes, wants } from "../../support/redpanda-module.ts";
import { declared, failureOf, rowsOf } from "../../support/rows.ts";
import { specOf, watBytes } from "../../support/wat-module.ts";

const flights = declared({ date: "timestamp", delay: "i32", origin: "dict" });
const context = { firstRow: 100, seed: new Uint8Array(32) };
const canCompile = await hasClang();
const lane = openLane();
let folder: TestFolder;
let program = "";
beforeAll(async () => {
  folder = await makeTestFolder("redpanda");
  if (canCompile) program = await compileTransform(folder.path);
});
afterAll(async () => {
  await lane.close();
  await folder.remove();
});

function batchOf(...rows: readonly (readonly [delay: number | null, origin: string])[]): Batch {
  const writer = new BatchWriter(flights);
  rows.forEach(([delay, origin], i) => writer.push([BigInt(i) * 1_000_000n, delay, origin]));
  return writer.take();
}

const two = batchOf([90, "ATL"], [-3, "O'Hare \u{1f6eb}"]);

function load(bytes: Uint8Array, spec: Partial<ModuleSpec> = {}): Promise<ModuleHandle> {
  return lane.load(specOf(bytes, { abi: "redpanda/1", columns: flights, ...spec }));
}

/** What becomes of a transform of that body on two rows, and whether the lane still serves others afterwards. */
async function fate(
  body: string,
  fields = "",
  spec: Partial<ModuleSpec> = {},
): Promise<{ code: string; message: string; rows: number }> {
  const handle = await load(await transformBytes(body, fields), spec);
  let rows = -1;
  const failure = await failureOf(handle.process(two, context).then((output) => (rows = output.rows)));
  const other = await load(await transformBytes("(call $all)"));
  expect(rowsOf(await other.process(two, context))).toEqual(rowsOf(two));
  return { ...failure, rows };
}

describe.skipIf(!canCompile)("a C program over wasi-libc with the loop of the SDKs", () => {
  it("gives the records it writes, and is the same however its input is cut", async () => {
    const output = declared({ offset: "i64", origin: "utf8", hours: "f64" });
    const transform = await load(await readFile(program), { columns: output, memoryBytesMax: 1024 * 1024 });
    const batch = batchOf([90, "ATL"], [0, "MIA"], [-5, "SFO"], [33, "x"], [1440, "JFK"]);
    expect(rowsOf(await transform.process(batch, context))).toEqual([
      { offset: 100n, origin: "ATL", hours: 1.5 },
      { offset: 103n, origin: "x", hours: 0.55 },
      { offset: 104n, origin: "JFK", hours: 24 },
    ]);
    expect((await transform.process(batchOf(), context)).rows).toBe(0);
    await checkRowsProperty(transform, batch, 4, { context });
  });

  it("ends with its own words where it gives up", async () => {
    const transform = await load(await readFile(program), { memoryBytesMax: 1024 * 1024 });
    const writer = new BatchWriter(declared({ other: "i64" }));
    writer.push([1n]);
    expect(await failureOf(transform.process(writer.take(), context))).toMatchObject({
      code: "MODULE_TRAP",
      message: expect.stringContaining("a record without delay and origin (errno 0)"),
    });
  });
});

describe("the host of a transform", () => {
  it("says of a batch what a broker would", async () => {
    const { header, record } = AT;
    const long = (address: number, value: number): string =>
      `(if (i64.ne (i64.load (i32.const ${address})) (i64.const ${value})) (then unreachable))`;
    const short = (address: number, value: number): string => wants(`(i32.load16_s (i32.const ${address}))`, value);
    const word = (address: number, value: number): string => wants(`(i32.load (i32.const ${address}))`, value);
    const row = '{"date":"1970-01-01T00:00:01Z","delay":-3,"origin":"O\'Hare \u{1f6eb}"}';
    const bytes = new TextEncoder().encode(row).length;
    // -1, a varint of two bytes, the value, no headers.
    const body = `
      ${wants("(call $begin)", 1 + 2 + bytes + 1)}
      ${long(header.base, 100)} ${word(header.count, 2)} ${word(header.epoch, 0)} ${short(header.attributes, 0)}
      ${word(header.delta, 1)} ${long(header.first, -2)} ${long(header.last, -2)} ${long(header.producer, -1)}
      ${short(header.producerEpoch, -1)} ${word(header.sequence, -1)}
      (drop (call $next)) (i32.store8 (i32.const ${record.attributes}) (i32.const 9))
      ${wants("(call $next)", 1 + 2 + bytes + 1)}
      ${wants(`(i32.load8_u (i32.const ${record.attributes}))`, 0)}
      ${long(record.timestamp, -2)} ${long(record.offset, 101)}
      (call $echo) (drop (call $begin))`;
    const transform = await load(await transformBytes(body));
    // One microsecond before -1 ms is rounded down.
    const output = await transform.process(two, { ...context, timeUs: -1001n });
    expect(rowsOf(output)).toEqual(rowsOf(two).slice(1));
    const timeless = await load(
      await transformBytes(`(drop (call $begin)) ${long(header.first, -1)} (drop (call $begin))`),
    );
    expect((await timeless.process(two, context)).rows).toBe(0);
  });

  it("answers with its numbers of errors", async () => {
    const { payload } = AT.record;
    const option = (text: string): string => `(data (i32.const 200) "${text}")`;
    const calls = [
      wants("(call $next)", -1),
      wants(`(call $write (i32.const ${payload}) (i32.const 4))`, -1),
      wants(`(call $write_to (i32.const ${payload}) (i32.const 4) (i32.const 200) (i32.const 0))`, -1),
      "(drop (call $begin))",
      wants("(call $read (i32.const 64) (i32.const 72) (i32.const 80) (i32.const 1024) (i32.const 5))", -2),
      "(drop (call $next))",
      "(call $echo)",
      wants(`(call $write (i32.const ${payload}) (i32.sub (global.get $size) (i32.const 1)))`, -2),
      wants(`(call $write (i32.const ${payload}) (i32.add (global.get $size) (i32.const 1)))`, -2),
      wants(`(call $write (i32.const ${payload}) (i32.const 0))`, -2),
      wants(`(call $write_to (i32.const ${payload}) (global.get $size) (i32.const 200) (i32.const 3))`, -3),
      wants(`(call $write_to (i32.const ${payload}) (global.get $size) (i32.const 200) (i32.const 4))`, -2),
      wants(`(call $write_to (i32.const ${payload}) (global.get $size) (i32.const 201) (i32.const 1))`, -2),
      wants(`(call $write_to (i32.const ${payload}) (i32.const 2) (i32.const 200) (i32.const 0))`, -2),
      `(if (i32.ne (call $write_to (i32.const ${payload}) (global.get $size) (i32.const 0) (i32.const 0)) (global.get $size)) (then unreachable))`,
      "(drop (call $next))",
      wants("(call $next)", -1),
      "(drop (call $begin))",
    ];
    // The options: key 1, the length 1 as a zigzag varint, the name of a topic; a byte behind it.
    expect(await fate(calls.join("\n"), option("\\01\\02t\\00"))).toMatchObject({ code: "no error", rows: 2 });
  });

  it.each([
    ["a varint of eleven bytes", "\\ff\\ff\\ff\\ff\\ff\\ff\\ff\\ff\\ff\\ff\\01\\01\\00"],
    ["a key longer than the payload", "\\fe\\ff\\ff\\ff\\0f\\01\\00"],
    ["more headers than there are", "\\01\\01\\fe\\ff\\ff\\ff\\ff\\ff\\ff\\ff\\ff\\01"],
    ["a header without a value", "\\01\\01\\02\\01"],
  ])("takes no record of %s", async (_, bytes) => {
    const length = bytes.split("\\").length - 1;
    const body = `(drop (call $begin)) ${wants(`(call $write (i32.const 200) (i32.const ${length}))`, -2)} (drop (call $begin))`;
    expect(await fate(body, `(data (i32.const 200) "${bytes}")`)).toMatchObject({ code: "no error", rows: 0 });
  });

  it("reads keys and headers over, also those that there are not", async () => {
    const value = '{"delay":7}';
    const record = `\\04ke\\16${value.replaceAll('"', '\\"')}\\05\\02h\\01\\01\\02v`;
    // Number of headers below 0: none, and what follows is too much.
    const negative = `\\01\\16${value.replaceAll('"', '\\"')}\\01`;
    const good = `\\04ke\\16${value.replaceAll('"', '\\"')}\\04\\02h\\01\\01\\02v`;
    const run = (bytes: string, size: number, result: number): Promise<{ code: string; rows: number }> =>
      fate(
        `(drop (call $begin)) ${wants(`(call $write (i32.const 200) (i32.const ${size}))`, result)} (drop (call $begin))`,
        `(data (i32.const 200) "${bytes}")`,
      );
    expect(await run(good, 22, 22)).toMatchObject({ code: "no error", rows: 1 });
    expect(await run(record, 22, -2)).toMatchObject({ code: "no error", rows: 0 });
    expect(await run(negative, 14, 14)).toMatchObject({ code: "no error", rows: 1 });
  });
});

describe("a transform that may not run", () => {
  it.each([
    [
      "imports what a broker does not have",
      '(import "redpanda_transform" "check_abi_version_3" (func))',
      "MODULE_IMPORT_DENIED",
    ],
    [
      "imports the schema registry",
      '(import "redpanda_schema_registry" "check_abi_version_0" (func))',
      "MODULE_IMPORT_DENIED",
    ],
    [
      "imports another signature",
      '(import "redpanda_transform" "write_record" (func (param i32) (result i32)))',
      "MODULE_IMPORT_DENIED",
    ],
    ["has no memory", '(func (export "_start"))', "MODULE_EXPORT_MISSING"],
    ["is no program", '(memory (export "memory") 1)', "MODULE_EXPORT_MISSING"],
  ])("because it %s", async (_, text, code) => {
    const rest = text.startsWith("(import") ? '(memory (export "memory") 1) (func (export "_start"))' : "";
    expect((await failureOf(load(await watBytes(`(module ${text} ${rest})`)))).code).toBe(code);
  });
});

describe("a hostile transform is stopped, and the lane goes on", () => {
  const { payload } = AT.record;

  it.each([
    [
      "has the header put outside",
      `(drop (call $header ${Array.from({ length: 10 }, () => "(i32.const 65535)").join(" ")}))`,
    ],
    [
      "has the header put far away",
      `(drop (call $header ${Array.from({ length: 10 }, () => "(i32.const -4)").join(" ")}))`,
    ],
    [
      "has a record put outside",
      "(drop (call $begin)) (drop (call $read (i32.const 64) (i32.const 72) (i32.const 80) (i32.const 1024) (i32.const 65536)))",
    ],
    [
      "has a record put at the very end",
      "(drop (call $begin)) (drop (call $read (i32.const 64) (i32.const 72) (i32.const 80) (i32.const -1) (i32.const -1)))",
    ],
    [
      "has a record's offset put outside",
      "(drop (call $begin)) (drop (call $read (i32.const 64) (i32.const 72) (i32.const 65530) (i32.const 1024) (i32.const 9000)))",
    ],
    ["writes from outside", `(drop (call $begin)) (drop (call $write (i32.const ${payload}) (i32.const -1)))`],
    [
      "has options outside",
      "(drop (call $begin)) (drop (call $write_to (i32.const 0) (i32.const 0) (i32.const 65536) (i32.const 1)))",
    ],
    ["ends before it is asked to", "(drop (call $begin)) (drop (call $next))"],
    ["never asks for a batch", ""],
    ["traps", "(drop (call $begin)) unreachable"],
  ])("that %s", async (_, body) => {
    expect(await fate(body)).toMatchObject({ code: "MODULE_TRAP" });
  });

  it.each([
    ["asks for more than there is without end", "(drop (call $begin)) (loop $l (drop (call $next)) (br $l))"],
    [
      "writes nothing without end",
      "(drop (call $begin)) (loop $l (drop (call $write (i32.const 0) (i32.const 0))) (br $l))",
    ],
    ["checks the version without end", "(loop $l (call $check) (br $l))"],
  ])("that %s", async (_, body) => {
    expect(await fate(body)).toMatchObject({ code: "MODULE_FUEL_EXHAUSTED" });
  });

  it("that ends itself, or does all before it is started", async () => {
    const exit = '(import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))';
    const memory = '(memory (export "memory") 1)';
    for (const [text, code] of [
      [`${exit} ${memory} (func (export "_start") (call $exit (i32.const 0)))`, "ended before"],
      [`${exit} ${memory} (func (export "_start") (call $exit (i32.const 9)))`, "exit code 9"],
      [
        `${exit} ${memory} (func $begin (call $exit (i32.const 0))) (start $begin) (func (export "_start"))`,
        "ended before",
      ],
    ] as const) {
      const transform = await load(await watBytes(`(module ${text})`));
      expect(await failureOf(transform.process(two, context)), text).toMatchObject({
        code: "MODULE_TRAP",
        message: expect.stringContaining(code),
      });
    }
    // A start function that waits for a second batch has had the first.
    expect(await fate("", "(func $first (call $all)) (start $first)")).toMatchObject({ code: "no error", rows: 2 });
  });

  it("that pays for what it writes by its cells", async () => {
    const bytes = await transformBytes("(call $all)");
    const wide = declared({
      date: "timestamp",
      delay: "i32",
      origin: "dict",
      ...Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`c${i}`, "utf8"])),
    });
    const spent = async (spec: Partial<ModuleSpec>): Promise<number> =>
      (await (await load(bytes, spec)).run(two, context)).fuel;
    expect((await spent({ columns: wide })) - (await spent({}))).toBe(2 * 50 * 8);
  });

  it("that writes more than it may", async () => {
    const body = "(drop (call $begin)) (drop (call $next)) (loop $l (call $echo) (br $l))";
    expect(await fate(body, "", { outputBytesMax: 20_000 })).toMatchObject({ code: "MODULE_OUTPUT_INVALID" });
  });

  it.each([
    ["no value", "\\01\\01\\00", 3],
    ["an empty value", "\\01\\00\\00", 3],
    ["a value that is no JSON", "\\01\\02x\\00", 4],
    ["a value that is no UTF-8", "\\01\\02\\ff\\00", 4],
    ["a value that is a list", "\\01\\04[]\\00", 5],
    ["a value of two objects", "\\01\\0a{}\\n{}\\00", 8],
  ])("that writes %s", async (_, bytes, length) => {
    const body = `(drop (call $begin)) (drop (call $write (i32.const 200) (i32.const ${length})))`;
    expect(await fate(body, `(data (i32.const 200) "${bytes}")`)).toMatchObject({ code: "MODULE_OUTPUT_INVALID" });
  });
});
