import { afterAll, describe, expect, it } from "vitest";
import type { Batch } from "../../../src/batch/batch.ts";
import { BatchWriter } from "../../../src/batch/writer.ts";
import { openLane } from "../../../src/sandbox/lane.ts";
import type { ModuleHandle, ModuleSpec } from "../../../src/sandbox/port.ts";
import { checkRowsProperty } from "../../../src/sandbox/rows-property.ts";
import { asPlugin, dataAt, pluginBytes } from "../../support/extism-module.ts";
import { declared, failureOf, rowsOf } from "../../support/rows.ts";
import { specOf, watBytes } from "../../support/wat-module.ts";

const input = declared({ n: "i64", text: "utf8" });
const context = { firstRow: 100, seed: new Uint8Array(32) };
const lane = openLane();
afterAll(() => lane.close());

function batchOf(...texts: readonly (string | null)[]): Batch {
  const writer = new BatchWriter(input);
  texts.forEach((text, i) => writer.push([BigInt(i), text]));
  return writer.take();
}

function load(
  bytes: Uint8Array,
  output: Readonly<Record<string, string>>,
  spec: Partial<ModuleSpec> = {},
): Promise<ModuleHandle> {
  return lane.load(specOf(bytes, { abi: "extism/1", columns: declared(output), ...spec }));
}

/** What becomes of a plugin with that body on three rows, and whether the lane still serves others afterwards. */
async function fate(
  body: string,
  fields = "",
  spec: Partial<ModuleSpec> = {},
): Promise<{ code: string; message: string }> {
  const handle = await load(await pluginBytes({ body, fields }), { n: "i64", text: "utf8" }, spec);
  const failure = await failureOf(handle.process(batchOf("a", "b", "c"), context));
  const other = await load(await pluginBytes({ body: "(call $echo)" }), { n: "i64", text: "utf8" });
  expect(rowsOf(await other.process(batchOf("x"), context))).toEqual([{ n: 0n, text: "x" }]);
  return failure;
}

describe("plugins of the published AssemblyScript PDK", () => {
  it("run as they are: the example of the package itself", async () => {
    const plugin = await load(
      await asPlugin(),
      { count: "i64", config: "utf8", a: "utf8" },
      {
        options: { entry: null, settings: { thing: "from ipdm.yaml" } },
      },
    );
    const output = await plugin.process(batchOf("aeiou", "Rhythm", null, "é"), context);
    // It counts the vowels of the row's JSON, `{"n":0,"text":"aeiou"}`, keys and null included.
    expect(rowsOf(output)).toEqual(
      [6n, 1n, 2n, 1n].map((count) => ({ count, config: "from ipdm.yaml", a: "this is var a" })),
    );
    await checkRowsProperty(plugin, batchOf("a", "bb", "ccc", "dddd"), 3);
  });

  it("filter, multiply and change rows", async () => {
    const source = `import { Host } from './lib/pdk';
      function myAbort(message: string | null, fileName: string | null, lineNumber: u32, columnNumber: u32): void { }
      export function route(): i32 {
        const row = Host.inputString();
        if (row.includes('drop')) return 0;
        if (row.includes('twice')) { Host.outputString('[' + row + ',' + row + ']'); return 0; }
        Host.outputString(row);
        return 0;
      }`;
    const plugin = await load(await asPlugin(source), { n: "i64", text: "utf8" });
    const output = await plugin.process(batchOf("keep", "drop it", "twice", "[]"), context);
    expect(rowsOf(output)).toEqual([
      { n: 0n, text: "keep" },
      { n: 2n, text: "twice" },
      { n: 2n, text: "twice" },
      { n: 3n, text: "[]" },
    ]);
    expect(rowsOf(await plugin.process(batchOf(), context))).toEqual([]);
  });
});

describe("the kernel", () => {
  it("gives the input in every way, and counts its bytes", async () => {
    const bytes = await pluginBytes({
      body: `
        (if (i64.ne (call $input_length) (call $length (call $input_offset))) (then unreachable))
        (if (i64.ne (call $input_length) (call $length_unsafe (call $input_offset))) (then unreachable))
        (if (i32.ne (call $input_load_u8 (i64.const 3)) (call $load_u8 (i64.add (call $input_offset) (i64.const 3)))) (then unreachable))
        (if (i64.ne (call $input_load_u64 (i64.const 2)) (call $load_u64 (i64.add (call $input_offset) (i64.const 2)))) (then unreachable))
        (if (i64.ne (call $length (i64.add (call $input_offset) (i64.const 1))) (i64.const 0)) (then unreachable))
        (call $echo)`,
    });
    const plugin = await load(bytes, { n: "i64", text: "utf8" });
    expect(rowsOf(await plugin.process(batchOf('q"\\', "é\u{1f600}"), context))).toEqual([
      { n: 0n, text: 'q"\\' },
      { n: 1n, text: "é\u{1f600}" },
    ]);
  });

  it("allocates, frees and answers 0 as it does", async () => {
    const bytes = await pluginBytes({
      body: `
        (if (i64.ne (call $alloc (i64.const 0)) (i64.const 0)) (then unreachable))
        (if (i64.ne (call $alloc (i64.const -1)) (i64.const 0)) (then unreachable))
        (if (i64.ne (call $alloc (i64.const 0x7fffffffffffffff)) (i64.const 0)) (then unreachable))
        (local.set $a (call $alloc (i64.const 40)))
        (if (i64.ne (call $length (local.get $a)) (i64.const 40)) (then unreachable))
        (call $store_u64 (local.get $a) (i64.const -2))
        (if (i32.ne (call $load_u8 (local.get $a)) (i32.const 254)) (then unreachable))
        (if (i64.ne (call $load_u64 (local.get $a)) (i64.const -2)) (then unreachable))
        (call $free (local.get $a))
        (if (i64.ne (call $length (local.get $a)) (i64.const 0)) (then unreachable))
        (call $free (local.get $a)) (call $free (i64.const 0)) (call $free (i64.const -7))
        (if (i64.ne (call $alloc (i64.const 36)) (local.get $a)) (then unreachable))
        (if (i64.eq (call $alloc (i64.const 36)) (local.get $a)) (then unreachable))
        (if (i64.ne (call $config_get (call $text (i32.const 64) (i32.const 1))) (i64.const 0)) (then unreachable))
        (if (i32.or (call $http_status_code) (i64.ne (call $http_headers) (i64.const 0))) (then unreachable))
        (if (i32.ne (call $get_log_level) (i32.const 2)) (then unreachable))
        (call $output_set (i64.const 0) (i64.const 0))
        (call $error_set (i64.const 0))
        (call $echo)
        (call $free (call $input_offset))
        (if (i64.ne (call $input_length) (i64.const 0)) (then unreachable))`,
      fields: dataAt(64, "k"),
    });
    const plugin = await load(bytes, { n: "i64", text: "utf8" });
    // What was set as the output is read at the end, its block freed or not; each row finds an empty space.
    expect(rowsOf(await plugin.process(batchOf("a", "b"), context))).toHaveLength(2);
  });

  it("keeps variables and globals for the rows of one call, and no longer", async () => {
    const bytes = await pluginBytes({
      body: `
        (local.set $a (call $text (i32.const 64) (i32.const 3)))
        (local.set $b (call $var_get (local.get $a)))
        (if (i64.ne (local.get $b) (i64.const 0)) (then (call $output_set (local.get $b) (call $length (local.get $b)))))
        (call $var_set (local.get $a) (call $text (i32.const 80) (i32.const 7)))
        (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
        (if (i32.eq (global.get $calls) (i32.const 3)) (then
          (call $var_set (local.get $a) (i64.const 0))
          (if (i64.ne (call $var_get (local.get $a)) (i64.const 0)) (then unreachable))))`,
      fields: `${dataAt(64, "key")} ${dataAt(80, '{"n":5}')} (global $calls (mut i32) (i32.const 0))`,
    });
    const plugin = await load(bytes, { n: "i64" }, { kind: "batch" });
    for (let i = 0; i < 2; i++)
      expect(rowsOf(await plugin.process(batchOf("a", "b", "c", "d"), context))).toEqual([{ n: 5n }, { n: 5n }]);
    const rows = await load(bytes, { n: "i64" });
    expect((await failureOf(checkRowsProperty(rows, batchOf("a", "b", "c"), 2))).code).toBe("MODULE_NOT_ROWWISE");
  });

  it("writes lines of its level to the log where that is allowed, and takes fuel for all of them", async () => {
    const imports = ["trace", "debug", "info", "warn", "error"]
      .map((level) => `(import "extism:host/env" "log_${level}" (func $${level} (param i64)))`)
      .join("\n");
    const parts = {
      imports,
      body: "(call $info (call $input_offset)) (call $trace (call $input_offset)) (call $echo)",
    };
    const bytes = await pluginBytes(parts);
    expect((await failureOf(load(bytes, { n: "i64" }))).code).toBe("MODULE_CAPABILITY_DENIED");
    const plugin = await load(bytes, { n: "i64", text: "utf8" }, { capabilities: ["log"] });
    const { fuel } = await plugin.run(batchOf("a"), context);
    const silent = await load(await pluginBytes({ body: "(call $echo)" }), { n: "i64", text: "utf8" });
    expect(fuel).toBeGreaterThan((await silent.run(batchOf("a"), context)).fuel + 2000);
  });

  it("takes fuel for the cells that come out, however short the text", async () => {
    const bytes = await pluginBytes({ body: "(call $echo)" });
    const columns = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`c${i}`, "i64"]));
    const narrow = await load(bytes, { n: "i64", text: "utf8" });
    const wide = await load(bytes, { n: "i64", text: "utf8", ...columns });
    // An escape takes the slower way to read a row, which costs the same.
    for (const text of ["a", "\u0001"]) {
      const spent = (plugin: ModuleHandle): Promise<number> =>
        plugin.run(batchOf(text, text), context).then(({ fuel }) => fuel);
      expect((await spent(wide)) - (await spent(narrow))).toBe(2 * 100 * 8);
    }
  });

  it("runs what sets a plugin up, once a call", async () => {
    const bytes = await pluginBytes({
      body: "(if (i32.ne (global.get $set) (i32.const 1)) (then unreachable)) (call $echo)",
      fields: `(global $set (mut i32) (i32.const 0))
        (func (export "_initialize") (global.set $set (i32.add (global.get $set) (i32.const 1))))`,
    });
    const plugin = await load(bytes, { n: "i64", text: "utf8" });
    expect((await plugin.process(batchOf("a", "b"), context)).rows).toBe(2);
  });
});

describe("the function that is called", () => {
  const module = (text: string): Promise<Uint8Array> => watBytes(`(module ${text})`);

  it("is the only one that fits, or the one that is named", async () => {
    const two =
      '(func (export "a") (result i32) (i32.const 0)) (func (export "b") (result i32) (i32.const 1)) (func (export "c"))';
    const ambiguous = await failureOf(load(await module(two), { n: "i64" }));
    expect(ambiguous.code).toBe("MODULE_EXPORT_MISSING");
    expect(ambiguous.message).toContain("exports 2 functions that could be called for a row: a, b");
    const named = (entry: string): Promise<ModuleHandle> =>
      module(two).then((bytes) => load(bytes, { n: "i64" }, { options: { entry, settings: {} } }));
    expect((await (await named("a")).process(batchOf("x"), context)).rows).toBe(0);
    expect((await (await named("c")).process(batchOf("x"), context)).rows).toBe(0);
    const failed = await failureOf((await named("b")).process(batchOf("x"), context));
    expect(failed).toMatchObject({ code: "MODULE_TRAP", message: expect.stringContaining("it returned 1") });
    expect((await failureOf(named("d"))).message).toContain("does not export d");
    expect((await failureOf(named("__proto__"))).code).toBe("MODULE_EXPORT_MISSING");
  });

  it("is missed where nothing fits", async () => {
    for (const text of [
      "",
      '(func (export "a") (param i32) (result i32) (i32.const 0))',
      '(func (export "a") (result i64) (i64.const 0))',
      '(func (export "_start"))',
      '(memory (export "a") 1)',
    ]) {
      const bytes = await module(text);
      expect((await failureOf(load(bytes, { n: "i64" }))).code, text).toBe("MODULE_EXPORT_MISSING");
      const named = load(
        bytes,
        { n: "i64" },
        { options: { entry: text.includes("_start") ? "_start" : "a", settings: {} } },
      );
      expect((await failureOf(named)).code, text).toBe("MODULE_EXPORT_MISSING");
    }
  });

  it("may import nothing but the kernel", async () => {
    for (const text of [
      '(import "extism:host/user" "hello" (func (param i64) (result i64)))',
      '(import "extism:host/env" "alloc" (func (param i32) (result i32)))',
      '(import "extism:host/env" "input_set" (func (param i64 i64)))',
      '(import "extism:host/env" "reset" (func))',
      '(import "env" "memory" (memory 1))',
    ]) {
      const bytes = await module(`${text} (func (export "a") (result i32) (i32.const 0))`);
      expect((await failureOf(load(bytes, { n: "i64" }))).code, text).toBe("MODULE_IMPORT_DENIED");
    }
  });
});

describe("a hostile plugin is stopped, and the lane goes on", () => {
  it.each([
    ["reads far outside", "(drop (call $load_u8 (i64.const 0x7fffffffffffffff)))"],
    ["reads at a negative address", "(drop (call $load_u64 (i64.const -8)))"],
    ["reads at no address", "(drop (call $load_u8 (i64.const 0)))"],
    ["reads across the end", "(drop (call $load_u64 (i64.const 65529)))"],
    ["writes outside", "(call $store_u8 (i64.const 65536) (i32.const 1))"],
    ["writes a word outside", "(call $store_u64 (i64.const 0x100000000) (i64.const 1))"],
    ["reads beyond its input", "(drop (call $input_load_u8 (call $input_length)))"],
    ["reads a word beyond its input", "(drop (call $input_load_u64 (i64.sub (call $input_length) (i64.const 7))))"],
    ["reads its input far away", "(drop (call $input_load_u64 (i64.const -8)))"],
    ["sets an output outside", "(call $output_set (i64.const 64) (i64.const 65536))"],
    ["sets an output of impossible size", "(call $output_set (i64.const 64) (i64.const -1))"],
    ["sets an output nowhere", "(call $output_set (i64.const 0) (i64.const 1))"],
    ["sets an error nowhere", "(call $error_set (i64.const -1))"],
    ["asks for a setting by no key", "(drop (call $config_get (i64.const 0)))"],
    [
      "asks for a variable by a freed key",
      "(local.set $a (call $alloc (i64.const 8))) (call $free (local.get $a)) (drop (call $var_get (local.get $a)))",
    ],
    [
      "asks by a key that is no text",
      "(local.set $a (call $alloc (i64.const 1))) (call $store_u8 (local.get $a) (i32.const 255)) (drop (call $config_get (local.get $a)))",
    ],
    [
      "keeps a freed block",
      "(local.set $a (call $alloc (i64.const 8))) (call $free (local.get $a)) (call $var_set (call $input_offset) (local.get $a))",
    ],
    ["traps", "unreachable"],
  ])("that %s", async (_, body) => {
    expect(await fate(body)).toMatchObject({ code: "MODULE_TRAP" });
  });

  it.each([
    ["allocates one byte without end", "(loop $l (drop (call $alloc (i64.const 1))) (br $l))"],
    ["allocates all without end", "(loop $l (call $free (call $alloc (i64.const 200000))) (br $l))"],
    ["calls a cheap function without end", "(loop $l (drop (call $input_length)) (br $l))"],
    ["only loops", "(loop $l (br $l))"],
  ])("that %s", async (_, body) => {
    expect(await fate(body)).toMatchObject({ code: "MODULE_FUEL_EXHAUSTED" });
  });

  it("that fills its variables, or the space", async () => {
    const more = "(global.set $n (i32.add (global.get $n) (i32.const 1)))";
    const variables = `(loop $l ${more}
      (call $store_u64 (call $input_offset) (i64.or (i64.const 0x2020202000000000) (i64.extend_i32_u (i32.and (global.get $n) (i32.const 127)))))
      (call $var_set (call $input_offset) (call $alloc (i64.const 65536))) (br $l))`;
    const spec = { memoryBytesMax: 64 * 1024 * 1024 };
    expect(await fate(variables, "(global $n (mut i32) (i32.const 0))", spec)).toMatchObject({
      code: "MODULE_MEMORY_EXCEEDED",
    });
    const space =
      "(loop $l (br_if $l (i64.ne (call $alloc (i64.const 30000)) (i64.const 0)))) (drop (call $config_get (call $input_offset))) (drop (call $alloc (i64.const 30000))) (call $store_u8 (call $alloc (i64.const 30000)) (i32.const 1))";
    expect(await fate(space)).toMatchObject({ code: "MODULE_TRAP" });
  });

  it.each([
    ["when it is set up", "", '(func (export "_initialize") (call $exit (i32.const 0)))'],
    ["when it begins", "", "(func $begin (call $exit (i32.const 0))) (start $begin)"],
    ["well", "(call $exit (i32.const 0))", ""],
    ["with a code", "(call $exit (i32.const 7))", ""],
  ])("that ends itself %s", async (_, body, fields) => {
    const imports = '(import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))';
    const plugin = await load(await pluginBytes({ imports, body, fields }), { n: "i64" });
    const { code, message } = await failureOf(plugin.process(batchOf("a"), context));
    expect(code).toBe("MODULE_TRAP");
    expect(message).toMatch(/it ended (itself )?with exit code [07]/);
  });

  it("that asks for the network", async () => {
    const { code, message } = await fate("(drop (call $http_request (call $input_offset) (i64.const 0)))");
    expect(code).toBe("MODULE_CAPABILITY_DENIED");
    expect(message).toContain("HTTP");
  });

  it("that reports an error, in its words", async () => {
    const words = await fate(
      "(call $error_set (call $text (i32.const 64) (i32.const 9)))",
      dataAt(64, "bad\nrow \u0001!"),
    );
    expect(words).toMatchObject({ code: "MODULE_TRAP", message: expect.stringContaining("the plugin says: bad row") });
  });

  it.each([
    ["no JSON", "{"],
    ["a NUL", "\u0000"],
    ["a number", "7"],
    ["a list of numbers", "[1]"],
    ["a column that is not declared", '{"m":1}'],
    ["a value that does not fit", '{"n":"x"}'],
  ])("that puts out %s", async (_, text) => {
    expect(await fate(`(call $say (i32.const 64) (i32.const ${text.length}))`, dataAt(64, text))).toMatchObject({
      code: "MODULE_OUTPUT_INVALID",
    });
  });

  it("that puts out no UTF-8", async () => {
    const body = `(local.set $a (call $alloc (i64.const 4)))
      (call $store_u8 (local.get $a) (i32.const 255)) (call $output_set (local.get $a) (i64.const 4))`;
    expect(await fate(body)).toMatchObject({ code: "MODULE_OUTPUT_INVALID" });
  });

  it("that puts out more than it may", async () => {
    const large = "(call $output_set (call $alloc (i64.const 5000000)) (i64.const 5000000))";
    const spec = { memoryBytesMax: 16 * 1024 * 1024, fuelPerCall: 1e9 };
    expect(await fate(large, "", spec)).toMatchObject({ code: "MODULE_OUTPUT_INVALID" });
    const many = await fate("(call $echo)", "", { outputBytesMax: 200 });
    expect(many).toMatchObject({ code: "MODULE_OUTPUT_INVALID", message: expect.stringContaining("200 bytes") });
  });
});
