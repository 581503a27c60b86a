import { afterAll, describe, expect, it } from "vitest";
import type { Batch } from "../../../src/batch/batch.ts";
import type { Value } from "../../../src/batch/column.ts";
import { rowValues } from "../../../src/batch/rows.ts";
import { type Schema, schemaOf } from "../../../src/batch/schema.ts";
import { BatchWriter } from "../../../src/batch/writer.ts";
import type { IpdmError } from "../../../src/core/errors.ts";
import { rowRandom } from "../../../src/sandbox/host/random.ts";
import { WASI_FUNCTIONS, WASI_NAMES } from "../../../src/sandbox/host/wasi-table.ts";
import { openLane } from "../../../src/sandbox/lane.ts";
import type { ModuleHandle, ModuleSpec } from "../../../src/sandbox/port.ts";
import { checkRowsProperty } from "../../../src/sandbox/rows-property.ts";
import { EVERY_TYPE, everyTypeRow } from "../../contract/sources/table.ts";
import { answerOf, copyTo, say, type WasiParts, wasiProgram } from "../../support/wasi-program.ts";
import { specOf, watBytes } from "../../support/wat-module.ts";

const schema = schemaOf([
  { name: "n", type: "i64", nullable: true },
  { name: "text", type: "utf8", nullable: true },
]);
const SEED = Uint8Array.from({ length: 32 }, (_, i) => i);
const context = { firstRow: 7, seed: SEED };
const lane = openLane();
afterAll(() => lane.close());

function batchOf(rows: readonly (readonly Value[])[], columns: Schema = schema): Batch {
  const writer = new BatchWriter(columns);
  for (const row of rows) writer.push(row);
  return writer.take();
}

const three = batchOf([
  [1n, "a"],
  [2n ** 60n, null],
  [null, 'q"\n'],
]);

async function load(parts: WasiParts, limits: Partial<ModuleSpec> = {}): Promise<ModuleHandle> {
  return lane.load(specOf(await wasiProgram(parts), { abi: "wasi/1", columns: schema, ...limits }));
}

async function errorOf(work: Promise<unknown>): Promise<Pick<IpdmError, "code" | "message">> {
  return work.then(
    () => ({ code: "no error", message: "" }),
    (error: IpdmError) => error,
  );
}

async function failure(
  parts: WasiParts,
  limits: Partial<ModuleSpec> = {},
): Promise<Pick<IpdmError, "code" | "message">> {
  return errorOf((await load(parts, limits)).process(three, context));
}

describe("a WASI program", () => {
  it("gives back rows of every type as it reads them", async () => {
    const rows = Array.from({ length: 500 }, (_, i) => everyTypeRow(i));
    const batch = batchOf(rows, EVERY_TYPE);
    const copy = await load(copyTo(1), { columns: EVERY_TYPE });
    const output = await copy.process(batch, context);
    expect(output.bytes).toEqual(batch.bytes);
    expect(await copy.outputSchema(EVERY_TYPE)).toEqual(EVERY_TYPE);
    expect(copy.identity.hostTable).toBe("ipdm-wasi/2");
    await checkRowsProperty(copy, batch, 3);
  });

  it("reads CSV where it is told to", async () => {
    const words = (await failure({ ...copyTo(2), start: `${copyTo(2).start} (unreachable)` }, { stdin: "csv" }))
      .message;
    expect(words).toContain('last words: n,text 1,a 1152921504606846976, ,"q"" "');
  });

  it("takes the same fuel each time, and more for more", async () => {
    const copy = await load(copyTo(1));
    const fuels = [];
    for (const batch of [three, three, batchOf([[1n, "a"]])]) fuels.push((await copy.run(batch, context)).fuel);
    expect(fuels[1]).toBe(fuels[0]);
    expect(fuels[2]).toBeLessThan(fuels[0] ?? 0);
  });

  it("ends well with exit code 0, also from its start function, and fails with any other", async () => {
    const wrote = await (await load(say(1, '{"n":5}\n', "(call $proc_exit (i32.const 0)) (unreachable)"))).process(
      three,
      context,
    );
    expect(rowValues(wrote, 0)).toEqual([5n, null]);
    const bye = say(2, "no room\nleft", "(call $proc_exit (i32.const 3))");
    expect(await failure(bye)).toMatchObject({
      code: "MODULE_TRAP",
      message: expect.stringContaining("exit code 3; its last words: no room left") as string,
    });
    const early = (code: number): WasiParts => ({
      imports: ["proc_exit"],
      fields: `(func $early (call $proc_exit (i32.const ${code}))) (start $early)`,
      start: "(unreachable)",
    });
    expect((await (await load(early(0))).process(three, context)).rows).toBe(0);
    expect(await failure(early(-1))).toMatchObject({
      code: "MODULE_TRAP",
      message: expect.stringContaining("exit code 4294967295") as string,
    });
  });

  it("draws random bytes from the seed and the first row, one stream through all calls", async () => {
    const draw = (calls: number): WasiParts => ({
      imports: ["random_get", "proc_exit"],
      start: `${"(drop (call $random_get (i32.const 0) (i32.const 40)))".repeat(calls)} (call $proc_exit (i32.load (i32.const 0)))`,
    });
    const words = new DataView(rowRandom(SEED, 7n, 80).slice().buffer);
    const open = { capabilities: ["random"] } as const;
    expect((await failure(draw(1), open)).message).toContain(`exit code ${words.getUint32(0, true)}`);
    expect((await failure(draw(2), open)).message).toContain(`exit code ${words.getUint32(40, true)}`);
    expect(await failure(draw(1))).toMatchObject({
      code: "MODULE_CAPABILITY_DENIED",
      message: expect.stringContaining("random_get") as string,
    });
  });

  it("sees a clock that stands at the batch's event time, or at 0", async () => {
    const clock = (id: number): WasiParts => ({
      imports: ["clock_time_get", "proc_exit"],
      start: `(call $proc_exit (i32.add (call $clock_time_get (i32.const ${id}) (i64.const 1) (i32.const 0))
        (i32.wrap_i64 (i64.div_u (i64.load (i32.const 0)) (i64.const 1000)))))`,
    });
    const at = async (
      id: number,
      timeUs: bigint,
      limits: Partial<ModuleSpec> = { capabilities: ["time"] },
    ): Promise<string> =>
      (await errorOf((await load(clock(id), limits)).process(three, { ...context, timeUs }))).message;
    expect(await at(0, 1234n)).toContain("exit code 1234");
    expect(await at(1, 1234n)).toContain("exit code 1234");
    expect(await at(2, 1234n)).toContain("exit code 28");
    expect(await at(0, -5n)).toBe("");
    expect(await at(0, 2n ** 63n - 1n)).toContain(`exit code ${((2n ** 64n - 1n) / 1000n) % 2n ** 32n}`);
    expect(await at(0, 1234n, {})).toBe("");
    const timeless = (await load(clock(0), { capabilities: ["time"] })).process(three, context);
    expect(await errorOf(timeless)).toMatchObject({
      code: "MODULE_CAPABILITY_DENIED",
      message: expect.stringContaining("it called clock_time_get, and this call has no event time") as string,
    });
  });

  const facts: readonly (readonly [what: string, name: string, args: readonly string[], answer: number])[] = [
    ["no folder is open", "fd_prestat_get", ["i32.const 3", "i32.const 0"], 8],
    ["standard input cannot be sought in", "fd_seek", ["i32.const 0", "i64.const 0", "i32.const 0", "i32.const 0"], 70],
    ["nor told", "fd_tell", ["i32.const 1", "i32.const 0"], 70],
    ["standard input cannot be written", "fd_write", ["i32.const 0", "i32.const 0", "i32.const 0", "i32.const 0"], 8],
    ["standard output cannot be read", "fd_read", ["i32.const 1", "i32.const 0", "i32.const 0", "i32.const 0"], 8],
    [
      "a file that is not open cannot be read",
      "fd_read",
      ["i32.const -1", "i32.const 0", "i32.const 0", "i32.const 0"],
      8,
    ],
    ["1024 buffers are the most", "fd_write", ["i32.const 1", "i32.const 0", "i32.const -1", "i32.const 0"], 28],
    [
      "paths lead nowhere",
      "path_open",
      [
        "i32.const 3",
        ...Array<string>(4).fill("i32.const 0"),
        "i64.const 0",
        "i64.const 0",
        "i32.const 0",
        "i32.const 0",
      ],
      8,
    ],
    ["links neither", "path_symlink", ["i32.const 0", "i32.const 0", "i32.const 9", "i32.const 0", "i32.const 0"], 8],
    ["streams are not synced", "fd_sync", ["i32.const 1"], 52],
    ["signals are not there", "proc_raise", ["i32.const 1"], 52],
    ["sockets are not there", "sock_shutdown", ["i32.const 5", "i32.const 0"], 8],
    ["nothing to poll is an error", "poll_oneoff", ["i32.const 0", "i32.const 0", "i32.const 0", "i32.const 0"], 28],
    ["closing works", "fd_close", ["i32.const 0"], 0],
    ["closing what is not open does not", "fd_close", ["i32.const 7"], 8],
    ["yielding works", "sched_yield", [], 0],
    ["the environment is empty", "environ_sizes_get", ["i32.const 0", "i32.const 4"], 0],
    ["streams say what they are", "fd_fdstat_get", ["i32.const 2", "i32.const 0"], 0],
  ];
  for (const [what, name, args, answer] of facts) {
    it(`finds that ${what} (${name})`, async () => {
      expect((await failure(answerOf(name, args))).message).toContain(`exit code ${100 + answer}`);
    });
  }

  it("cannot use a stream that it has closed", async () => {
    const parts = answerOf("fd_write", ["i32.const 1", "i32.const 0", "i32.const 0", "i32.const 0"]);
    const closing = {
      imports: ["fd_close", ...(parts.imports ?? [])],
      start: `(drop (call $fd_close (i32.const 1))) ${parts.start}`,
    };
    expect((await failure(closing)).message).toContain("exit code 108");
  });

  it("finds its one argument, and polls that have happened", async () => {
    const argument: WasiParts = {
      imports: ["args_sizes_get", "args_get", "proc_exit"],
      start: `(drop (call $args_sizes_get (i32.const 0) (i32.const 4))) (drop (call $args_get (i32.const 8) (i32.const 64)))
        (if (i32.ne (i32.load (i32.const 8)) (i32.const 64)) (then (unreachable)))
        (call $proc_exit (i32.add (i32.load8_u (i32.const 64)) (i32.add (i32.load (i32.const 0)) (i32.load (i32.const 4)))))`,
    };
    expect((await failure(argument)).message).toContain(`exit code ${"m".charCodeAt(0) + 1 + 7}`);
    // A sleep, standard input, and a file that is not open.
    const poll: WasiParts = {
      imports: ["poll_oneoff", "proc_exit"],
      fields: `(data (i32.const 64) "\\05") (data (i32.const 120) "\\01") (data (i32.const 168) "\\02") (data (i32.const 176) "\\09")`,
      start: `(drop (call $poll_oneoff (i32.const 64) (i32.const 512) (i32.const 3) (i32.const 0)))
        (call $proc_exit (i32.add (i32.mul (i32.const 10000) (i32.load (i32.const 0)))
          (i32.add (i32.mul (i32.const 100) (i32.load8_u (i32.const 512)))
            (i32.add (i32.load16_u (i32.const 552)) (i32.load16_u (i32.const 584))))))`,
    };
    expect((await failure(poll)).message).toContain("exit code 30508");
  });
});

describe("a WASI module", () => {
  it("may import all of preview1, with its signatures, and nothing else", async () => {
    expect(WASI_NAMES).toHaveLength(46);
    const all = await load({ imports: WASI_NAMES });
    expect((await all.process(three, context)).rows).toBe(0);
    const spec = async (wat: string): Promise<ModuleSpec> =>
      specOf(await watBytes(wat), { abi: "wasi/1", columns: schema });
    const memory = '(memory (export "memory") 1) (func (export "_start"))';
    for (const [wat, code] of [
      [`(module (import "env" "abort" (func (param i32 i32 i32 i32))) ${memory})`, "MODULE_IMPORT_DENIED"],
      [
        `(module (import "wasi_snapshot_preview1" "fd_read" (func (param i32) (result i32))) ${memory})`,
        "MODULE_IMPORT_DENIED",
      ],
      [`(module (import "wasi_snapshot_preview1" "constructor" (func)) ${memory})`, "MODULE_IMPORT_DENIED"],
      ['(module (memory (export "memory") 1))', "MODULE_EXPORT_MISSING"],
      [
        '(module (memory (export "memory") 1) (func (export "_start") (result i32) (i32.const 0)))',
        "MODULE_EXPORT_MISSING",
      ],
      ['(module (memory 1) (func (export "_start")))', "MODULE_EXPORT_MISSING"],
    ] as const)
      expect((await errorOf(lane.load(await spec(wat)))).code, wat).toBe(code);
  });

  it("has a price for every function", () => {
    for (const { fuel, fuelPerByte } of Object.values(WASI_FUNCTIONS)) {
      expect(fuel).toBeGreaterThan(0);
      expect(fuelPerByte).toBeGreaterThanOrEqual(0);
    }
  });

  it("fails when nobody declared its columns", async () => {
    expect(await errorOf((await load({}, { columns: null })).process(three, context))).toMatchObject({
      code: "MODULE_OUTPUT_INVALID",
      message: expect.stringContaining("not declared") as string,
    });
  });

  for (const [text, message] of [
    ['{"n":1}\n{"n":"x"}\n', 'line 2 of its standard output: "x" does not fit column n (i64)'],
    ['{"n":9223372036854775808}', "line 1 of its standard output: 9223372036854775808 does not fit column n (i64)"],
    ['{"n":1}\n\n{"m":1}\n', 'line 3 of its standard output: column "m" is not declared'],
    ['{"n":1}\n{"n":', "line 2 of its standard output: "],
    ["[1]", "line 1 of its standard output: expected one JSON object a line"],
  ] as const) {
    it(`is told what is wrong with ${JSON.stringify(text)}`, async () => {
      expect(await failure(say(1, text))).toMatchObject({
        code: "MODULE_OUTPUT_INVALID",
        message: expect.stringContaining(message) as string,
      });
    });
  }
});

describe("a hostile WASI program", () => {
  const outside = "outside the memory";
  const hostile: readonly (readonly [what: string, parts: WasiParts, code: string, message: string])[] = [
    [
      "reads into nowhere",
      {
        imports: ["fd_read"],
        start: `(i32.store (i32.const 0) (i32.const -16)) (i32.store (i32.const 4) (i32.const 64))
      (drop (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))`,
      },
      "MODULE_TRAP",
      outside,
    ],
    [
      "writes 4 GiB from the end",
      {
        imports: ["fd_write"],
        start: `(i32.store (i32.const 0) (i32.const 131071)) (i32.store (i32.const 4) (i32.const -1))
      (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))`,
      },
      "MODULE_TRAP",
      outside,
    ],
    [
      "has its buffers nowhere",
      {
        imports: ["fd_write"],
        start: "(drop (call $fd_write (i32.const 1) (i32.const 131068) (i32.const 1) (i32.const 8)))",
      },
      "MODULE_TRAP",
      outside,
    ],
    [
      "wants the count nowhere",
      {
        imports: ["fd_write"],
        start: "(drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 0) (i32.const -1)))",
      },
      "MODULE_TRAP",
      outside,
    ],
    [
      "wants its arguments nowhere",
      { imports: ["args_get"], start: "(drop (call $args_get (i32.const 0) (i32.const 131070)))" },
      "MODULE_TRAP",
      outside,
    ],
    [
      "wants randomness nowhere",
      { imports: ["random_get"], start: "(drop (call $random_get (i32.const 131000) (i32.const 200)))" },
      "MODULE_TRAP",
      outside,
    ],
    [
      "wants 4 GiB of randomness",
      { imports: ["random_get"], start: "(drop (call $random_get (i32.const 0) (i32.const -1)))" },
      "MODULE_FUEL_EXHAUSTED",
      "",
    ],
    [
      "polls 2^32 times",
      {
        imports: ["poll_oneoff"],
        start: "(drop (call $poll_oneoff (i32.const 0) (i32.const 0) (i32.const -1) (i32.const 0)))",
      },
      "MODULE_FUEL_EXHAUSTED",
      "",
    ],
    [
      "polls outside the memory",
      {
        imports: ["poll_oneoff"],
        start: "(drop (call $poll_oneoff (i32.const 0) (i32.const 0) (i32.const 5000) (i32.const 0)))",
      },
      "MODULE_TRAP",
      outside,
    ],
    [
      "stats into nowhere",
      { imports: ["fd_fdstat_get"], start: "(drop (call $fd_fdstat_get (i32.const 0) (i32.const 131060)))" },
      "MODULE_TRAP",
      outside,
    ],
    [
      "reads without end",
      {
        imports: ["fd_read"],
        start: "(loop $more (drop (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8))) (br $more))",
      },
      "MODULE_FUEL_EXHAUSTED",
      "",
    ],
    [
      "looks at the clock without end",
      {
        imports: ["clock_time_get"],
        start: "(loop $more (drop (call $clock_time_get (i32.const 0) (i64.const 0) (i32.const 8))) (br $more))",
      },
      "MODULE_FUEL_EXHAUSTED",
      "",
    ],
    [
      "complains without end",
      {
        imports: ["fd_write"],
        start: `(i32.store (i32.const 4) (i32.const 65536))
      (loop $more (drop (call $fd_write (i32.const 2) (i32.const 0) (i32.const 1) (i32.const 8))) (br $more))`,
      },
      "MODULE_FUEL_EXHAUSTED",
      "",
    ],
    [
      "writes without end",
      {
        imports: ["fd_write"],
        start: `(i32.store (i32.const 4) (i32.const 65536))
      (loop $more (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))) (br $more))`,
      },
      "MODULE_OUTPUT_INVALID",
      "bytes on standard output",
    ],
    [
      "writes what is not UTF-8",
      {
        imports: ["fd_write"],
        fields: '(data (i32.const 0) "\\20\\00\\00\\00\\02") (data (i32.const 32) "\\0a\\ff")',
        start: "(drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))",
      },
      "MODULE_OUTPUT_INVALID",
      "line 2 of its standard output: the line is not UTF-8",
    ],
    [
      "recurses without end",
      { fields: "(func $deep (call $deep))", start: "(call $deep)" },
      "MODULE_STACK_EXCEEDED",
      "",
    ],
  ];
  for (const [what, parts, code, message] of hostile) {
    it(`that ${what} is stopped`, async () => {
      const limits: Partial<ModuleSpec> = what.includes("random") ? { capabilities: ["random"] } : {};
      const fuel = what === "writes without end" ? { fuelPerCall: 1e9 } : {};
      expect(await failure(parts, { ...limits, ...fuel })).toMatchObject({
        code,
        message: expect.stringContaining(message) as string,
      });
    });
  }

  it("pays for the cells of lines that are all null", async () => {
    const columns = schemaOf(
      Array.from({ length: 256 }, (_, i) => ({ name: `c${i}`, type: "bool", nullable: true }) as const),
    );
    const lines = say(1, "{}\n".repeat(1000));
    expect(await failure(lines, { columns, fuelPerCall: 2_000_000 })).toMatchObject({ code: "MODULE_FUEL_EXHAUSTED" });
    const { batch, fuel } = await (await load(lines, { columns })).run(three, context);
    expect(batch.rows).toBe(1000);
    expect(fuel).toBeGreaterThan(8 * 256 * 1000);
  });

  it("cannot make a batch of wide nulls from little text", async () => {
    const wide = schemaOf([{ name: "x", type: "fixed", nullable: true, width: 65_536 }]);
    const lines = say(1, "{}\n".repeat(400));
    expect(await failure(lines, { columns: wide })).toMatchObject({
      code: "MODULE_OUTPUT_INVALID",
      message: expect.stringContaining("that a batch may have") as string,
    });
  });

  it("is not given a row of more than 4 MiB", async () => {
    const one = batchOf([[1n, "x".repeat(4 * 1024 * 1024)]]);
    const copy = await load(copyTo(1), { fuelPerCall: 1e9 });
    expect(await errorOf(copy.process(one, context))).toMatchObject({
      code: "MODULE_TRAP",
      message: expect.stringContaining("row 0 of its input has more than 4194304 bytes") as string,
    });
  });
});
