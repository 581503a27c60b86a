import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadConfig, parseConfig } from "../../../src/config/load.ts";
import type { Problem } from "../../../src/config/problem.ts";
import { IpdmError } from "../../../src/core/errors.ts";
import { POLICIES } from "../../../src/sandbox/policy.ts";

const BASE = `name: demo
sources:
  rows: { file: ./rows.csv, time: { column: at } }
modules:
  keep: ./keep.wasm
tasks:
  kept: { module: keep, input: rows }
  daily: { input: kept, window: { tumble: 1d }, key: [who], aggregate: { n: count(), s: sum(x) }, prove: { windows: 2 } }
outputs:
  table: { input: daily, file: daily.parquet }
`;

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ipdm-config-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function refusal(work: Promise<unknown>): Promise<IpdmError> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof IpdmError)) throw new Error(`expected an IpdmError, got ${String(error)}`);
  return error;
}

/** Refusal of the base configuration with one text replaced by another. */
async function refused(from: string, to: string): Promise<IpdmError> {
  expect(BASE).toContain(from);
  return refusal(parseConfig(BASE.replace(from, to), "/somewhere/ipdm.yaml", "ipdm.yaml"));
}

describe("a valid configuration", () => {
  it("comes out as plain data with defaults, units and paths", async () => {
    const { config, warnings } = await parseConfig(BASE, "/somewhere/ipdm.yaml");
    expect(warnings).toEqual([]);
    expect(config).toEqual({
      name: "demo",
      folder: "/somewhere",
      domain: { id: "demo", replicas: 1, quorum: 1, verify: { kind: "full" } },
      sources: [
        {
          name: "rows",
          kind: "file",
          file: { written: "./rows.csv", path: "/somewhere/rows.csv" },
          format: "csv",
          time: { column: "at", outOfOrderUs: 0 },
        },
      ],
      modules: [
        {
          name: "keep",
          file: { written: "./keep.wasm", path: "/somewhere/keep.wasm" },
          abi: "ipdm/1",
          unit: null,
          stateful: false,
          columns: null,
          policy: POLICIES.standard,
          isolation: "thread",
          timeoutUs: 10_000_000,
        },
      ],
      tasks: [
        { kind: "module", name: "kept", input: "rows", module: "keep", upgrade: "start" },
        {
          kind: "window",
          name: "daily",
          input: "kept",
          tumbleUs: 86_400_000_000,
          latenessUs: 0,
          key: ["who"],
          aggregates: [
            { name: "n", kind: "count" },
            { name: "s", kind: "sum", column: "x" },
          ],
          prove: { kind: "drawn", windows: 2 },
        },
      ],
      lakes: [],
      outputs: [{ name: "table", input: "daily", side: "main", file: "daily.parquet" }],
    });
    expect(JSON.parse(JSON.stringify(config))).toEqual(config);
  });

  it("may be JSON, with tabs and a $schema", async () => {
    const json = JSON.stringify(
      {
        $schema: "x",
        name: "j",
        sources: { a: { file: "a.ndjson.gz" } },
        outputs: { o: { input: "a", file: "o.csv" } },
      },
      null,
      "\t",
    );
    const { config } = await parseConfig(json, "/s/ipdm.json");
    expect(config.sources[0]).toMatchObject({ format: "ndjson" });
  });

  it("orders tasks after their inputs, whatever the file's order", async () => {
    const text = BASE.replace(/( {2}kept: .*\n)( {2}daily: .*\n)/, "$2$1");
    const { config } = await parseConfig(text, "/s/ipdm.yaml");
    expect(config.tasks.map((task) => task.name)).toEqual(["kept", "daily"]);
  });

  it("keeps named windows, late outputs, sampling, limits and columns", async () => {
    const text = BASE.replace(
      "{ windows: 2 }",
      "{ windows: [{ start: 2001-01-05, key: [ATL] }, { start: 86400000000, key: [7] }, { start: 0, key: [null] }] }",
    )
      .replace(
        "name: demo",
        "name: demo\ndomain: { id: d, replicas: 4, quorum: 3, verify: sample, share: 0.5 }\nlakes: { results: { hot: 1.5GiB } }",
      )
      .replace(
        "./keep.wasm",
        "{ file: /abs/keep.wasm, memory: 1MiB, timeout: 250ms, time: { column: at2, outOfOrder: 1h } }",
      )
      .replace("time: { column: at } }", "columns: { at: timestamp, who: utf8, h: fixed(32) }, time: { column: at } }")
      .replace("daily.parquet }", "daily.parquet }\n  late: { input: daily.late, file: late.jsonl }");
    const { config } = await parseConfig(text, "/s/ipdm.yaml");
    expect(config.domain).toEqual({ id: "d", replicas: 4, quorum: 3, verify: { kind: "sample", share: 0.5 } });
    expect(config.lakes).toEqual([{ name: "results", hotBytes: 1_610_612_736 }]);
    expect(config.modules[0]).toMatchObject({
      file: { path: "/abs/keep.wasm" },
      policy: { ...POLICIES.standard, memoryBytesMax: 1_048_576 },
      timeoutUs: 250_000,
      time: { column: "at2", outOfOrderUs: 3_600_000_000 },
    });
    expect(config.sources[0]).toMatchObject({ columns: { at: "timestamp", who: "utf8", h: "fixed(32)" } });
    expect(config.outputs[1]).toEqual({
      name: "late",
      input: "daily",
      side: "late",
      file: "late.jsonl",
    });
    expect(config.tasks[1]).toMatchObject({
      prove: {
        kind: "named",
        windows: [
          { startUs: 978_652_800_000_000, key: ["ATL"] },
          { startUs: 86_400_000_000, key: [7] },
          { startUs: 0, key: [null] },
        ],
      },
    });
  });

  it("takes aliases", async () => {
    const text = BASE.replace("time: { column: at }", "time: &t { column: at }").replace(
      "input: rows }",
      "input: rows, time: *t }",
    );
    const { config } = await parseConfig(text, "/s/ipdm.yaml");
    expect(config.tasks[0]).toMatchObject({ time: { column: "at", outOfOrderUs: 0 } });
  });

  it("warns of what leads nowhere, with positions", async () => {
    const { warnings } = await parseConfig(BASE.replace("input: daily", "input: rows"), "/s/ipdm.yaml", "ipdm.yaml");
    expect(warnings.map(({ where, message }) => [where, message])).toEqual([
      ["ipdm.yaml:7:3", "tasks.kept leads to no output"],
      ["ipdm.yaml:8:3", "tasks.daily leads to no output"],
    ]);
  });
});

describe("CONFIG_INVALID names place, position and remedy", () => {
  /** `points` is what stands in the file where the error points to. */
  const cases: readonly (readonly [from: string, to: string, points: string, message: RegExp, hint?: RegExp])[] = [
    ["aggregate:", "aggregat:", "aggregat:", /^tasks\.daily\.aggregat is not a key/, /did you mean aggregate\?/],
    ["name: demo", "nme: demo", "nme:", /^nme is not a key/, /did you mean name\?/],
    // As near to `file`, which stands there already.
    ["time: {", "fime: {", "fime:", /^sources\.rows\.fime is not a key/, /did you mean time\?/],
    ["name: demo\n", "", "sources:", /^name is missing/],
    ["name: demo", "name: Demo", "Demo", /^name must be|^name: must be|^name .*lower-case/],
    ["name: demo", "name: [demo]", "[demo]", /^name must be text, not a list/],
    ["file: ./rows.csv, ", "", "rows:", /^sources\.rows\.file is missing/],
    ["file: ./rows.csv", "file: ./rows.txt", "./rows.txt", /format of \.\/rows\.txt cannot be told/, /format/],
    ["file: ./rows.csv", "file: npm:x", "npm:x", /must be npm:<package>\/<path>/],
    ["file: ./rows.csv", "file: npm:x/../../y.csv", "npm:x/", /must not hold \.\./],
    ["column: at", "column: at, outOfOrder: 5", "5 }", /outOfOrder must be text, not 5/, /write a unit: 5s/],
    ["column: at", "column: at, outOfOrder: 104250d", "104250d", /is longer than a duration can be/, /104249d/],
    ["column: at", "column: at, outOfOrder: 5x", "5x", /"5x" is not a duration/, /whole number and a unit/],
    ["{ column: at }", "at", "at }", /^sources\.rows\.time must be a mapping of keys, not "at"/, /column/],
    [
      "time: {",
      "columns: { at: timestmp }, time: {",
      "timestmp",
      /"timestmp" is no column type/,
      /did you mean timestamp\?/,
    ],
    ["time: {", "columns: { at: integer }, time: {", "integer", /"integer" is no column type/, /did you mean i64\?/],
    [
      ", time: { column: at }",
      "",
      "window:",
      /window needs an event time, and sources\.rows declares none/,
      /add time/,
    ],
    ["keep: ./keep.wasm", "Keep: ./keep.wasm", "Keep:", /^modules\.Keep: a name must be/, /keep/],
    ["keep: ./keep.wasm", "keep: { file: k, memory: 5GiB }", "5GiB", /must be 64KiB to 4GiB, not 5GiB/],
    [
      "keep: ./keep.wasm",
      "keep: { file: ./keep.wasm, unit: 5 }",
      "unit: 5",
      /modules\.keep\.unit has no meaning with kind: rows/,
      /kind: batch or kind: stateful/,
    ],
    [
      "keep: ./keep.wasm",
      "keep: { file: ./keep.wasm, kind: stateful, abi: wasi/1 }",
      "stateful",
      /modules\.keep cannot be stateful: modules of the abi wasi\/1 keep nothing/,
      /kind: batch/,
    ],
    ["keep: ./keep.wasm", "keep: { file: k, memory: 5 }", "5 }", /must be text, not 5/, /5MiB/],
    ["keep: ./keep.wasm", "keep: { file: k, timeout: 2h }", "2h", /must be 1ms to 1h, not 2h/],
    ["keep: ./keep.wasm", "keep: 5", "5", /^modules\.keep cannot be 5/],
    ["module: keep", "module: kepe", "kepe", /there is no module "kepe"/, /did you mean keep\?/],
    ["input: rows", "input: row", "row }", /there is no source or task "row"/, /did you mean rows\?/],
    ["input: rows", "input: daily", "daily }", /cycle: kept reads daily reads kept/],
    ["input: rows", "input: daily.late", "daily.late", /late rows can be an output/],
    ["input: rows }", "input: rows, window: { tumble: 1d } }", "window:", /has both module and window/],
    ["input: rows }", "input: rows, key: [a] }", "key: [a]", /kept\.key belongs to a task with window/],
    ["module: keep, input: rows", "input: rows", "kept:", /neither module nor window/],
    ["tumble: 1d", "tumble: 0s", "0s", /must be longer than nothing/],
    [", aggregate: { n: count(), s: sum(x) }", "", "daily:", /aggregate is missing/],
    ["s: sum(x)", "s: sun(x)", "sun(x)", /no aggregate sun/, /did you mean sum\?/],
    ["s: sum(x)", "s: sum()", "sum()", /sum needs a column/],
    ["s: sum(x)", "s: x", "x }", /"x" is not an aggregate/],
    ["s: sum(x)", "who: sum(x)", "who: sum", /already has a column who, a key column/],
    ["key: [who]", "key: [who, end]", "end]", /already has a column end/],
    ["key: [who]", "key: who", "who,", /must be a list, not "who"/, /\[who\]/],
    ["windows: 2", "windows: 0", "0 }", /must be at least 1/],
    [
      "windows: 2",
      "windows: [{ start: 2001-01-05T06:00Z, key: [a] }]",
      "2001-01-05T",
      /no start of a window of 1d/,
      /starts at 2001-01-05$/,
    ],
    ["windows: 2", "windows: [{ start: 2001-02-30, key: [a] }]", "2001-02-30", /"2001-02-30" is not a UTC date/],
    [
      "windows: 2",
      'windows: [{ start: 2001-01-05, key: [7] }, { start: 2001-01-05, key: ["7"] }]',
      '{ start: 2001-01-05, key: ["7"]',
      /names a window that stands above already/,
    ],
    ["windows: 2", "windows: [{ start: 2001-01-05 }]", "{ start", /key has 0 values, the task's key has 1/, /who/],
    ["input: daily", "input: dayly", "dayly", /there is no source or task "dayly"/, /did you mean daily\?/],
    ["input: daily", "input: kept.late", "kept.late", /kept has no late rows/, /write kept/],
    ["daily.parquet", "daily.xlsx", "daily.xlsx", /form of daily\.xlsx cannot be told/, /parquet/],
    [
      "daily.parquet }",
      "daily.parquet }\n  copy: { input: daily, file: ./daily.parquet }",
      "./daily.parquet",
      /also the file of outputs\.table/,
    ],
    ["  kept:", "  rows:", "rows: {", /rows is the name of a source and of a task/],
    ["name: demo", "name: demo\ndomain: { replicas: 3, quorum: 4 }", "4 }", /only 3 replicas/, /quorum: 2/],
    ["name: demo", "name: demo\ndomain: { replicas: 4, quorum: 2 }", "2 }", /not more than half of 4/, /quorum: 3/],
    ["name: demo", "name: demo\ndomain: { replicas: 32 }", "32", /at most 31/],
    ["name: demo", "name: demo\ndomain: { replicas: 1.5 }", "1.5", /whole number/],
    ["name: demo", "name: demo\ndomain: { share: 0.5 }", "share", /no meaning with verify: full/],
    [
      "name: demo",
      "name: demo\ndomain: { verify: ful }",
      "ful }",
      /must be full or sample, not "ful"/,
      /did you mean full\?/,
    ],
    ["name: demo", "name: demo\nlakes: { r: { hot: 5 } }", "5 }", /must be text, not 5/, /5MiB/],
    ["name: demo", "name: demo\nlakes:", "lakes:", /^lakes must be a mapping of names, not empty|^lakes .*empty/],
    ["name: demo", "name: demo\n__proto__: { a: 1 }", "__proto__", /__proto__ is not a key/],
    [
      "  kept:",
      "  constructor: { input: toString, module: valueof }\n  kept:",
      "toString",
      /no source or task "toString"/,
    ],
  ];
  it.each(cases.map(([from, to, points, message, hint]) => ({ from, to, points, message, hint })))(
    "$from → $to",
    async ({ from, to, points, message, hint }) => {
      const error = await refused(from, to);
      expect(error).toMatchObject({ code: "CONFIG_INVALID", kind: "config" });
      expect(error.message).toMatch(message);
      const [, line, column] = /^ipdm\.yaml:(\d+):(\d+)$/.exec(error.where ?? "") ?? [];
      const rest = BASE.replace(from, to)
        .split("\n")
        [Number(line) - 1]?.slice(Number(column) - 1);
      expect(rest?.slice(0, points.length)).toBe(points);
      if (hint !== undefined) expect(error.hint).toMatch(hint);
    },
  );

  it("lists all that is wrong, unknown keys first", async () => {
    const error = await refusal(
      parseConfig(BASE.replace("name: demo", "name: 5").replace("tumble: 1d", "tumbel: 1d"), "/s/i.yaml", "i.yaml"),
    );
    const problems = error.facts["problems"] as readonly Problem[];
    expect(problems.map(({ where }) => where)).toEqual(["i.yaml:8:35", "i.yaml:1:7"]);
    expect(error.message).toMatch(/tumbel.*\(and 1 more\)$/);
  });

  it("refuses an empty file, a list and a bare word", async () => {
    for (const text of ["", "# nothing\n", "- a\n", "word"]) {
      const error = await refusal(parseConfig(text, "/s/i.yaml", "i.yaml"));
      expect(error).toMatchObject({ code: "CONFIG_INVALID", where: expect.stringMatching(/^i\.yaml:1:1$/) as string });
    }
  });
});

describe("CONFIG_SYNTAX names the position", () => {
  const cases: readonly (readonly [text: string, where: string, message: RegExp])[] = [
    ['a: 1\nb: "x\n', "3:1", /[Mm]issing closing "quote/],
    ["a:\n\tb: 1", "2:1", /tab/],
    ["a: 1\nb: 2\na: 3\n", "3:1", /^a stands twice/],
    ["a: 1\n---\nb: 2\n", "2:1", /more than one YAML document/],
    ["a: !x 1\n", "1:4", /[Uu]nresolved tag/],
    ["a: *x\n", "1:4", /alias \*x has no anchor/],
    ["a: &x { b: *x }\n", "1:12", /alias \*x has no anchor/],
    ["? [a, b]\n: 1\n", "1:3", /key must be text/],
    [`a: ${"[".repeat(40)}${"]".repeat(40)}`, "1:36", /deeper than 32/],
    [`a: &a [${"x,".repeat(300)}]\nb: &b [${"*a,".repeat(300)}]\n`, "1:", /more than 50000 values/],
  ];
  it.each(cases)("%#: %.40j", async (text, where, message) => {
    const error = await refusal(parseConfig(text, "/s/i.yaml", "i.yaml"));
    expect(error).toMatchObject({ code: "CONFIG_SYNTAX", kind: "config" });
    expect(error.message).toMatch(message);
    expect(error.where).toMatch(new RegExp(`^i\\.yaml:${where}${where.endsWith(":") ? "" : "$"}`));
  });

  it("stays quick for a file of 80,000 keys and for deep nesting", { timeout: 20_000 }, async () => {
    const keys = Array.from({ length: 80_000 }, (_, i) => `k${i}: 1`).join("\n");
    for (const text of [keys, "[".repeat(100_000)])
      expect((await refusal(parseConfig(text, "/s/i.yaml"))).code).toBe("CONFIG_SYNTAX");
  });
});

describe("files", () => {
  it("CONFIG_MISSING for no file, and for a folder without one", async () => {
    expect(await refusal(loadConfig(join(folder, "none.yaml")))).toMatchObject({
      code: "CONFIG_MISSING",
      kind: "config",
      where: join(folder, "none.yaml"),
    });
    expect(await refusal(loadConfig(folder))).toMatchObject({
      code: "CONFIG_MISSING",
      hint: expect.stringContaining("init") as string,
    });
  });

  it("CONFIG_UNREADABLE for what is no file to read", async () => {
    await symlink("loop.yaml", join(folder, "loop.yaml"));
    expect(await refusal(loadConfig(join(folder, "loop.yaml")))).toMatchObject({
      code: "CONFIG_UNREADABLE",
      kind: "config",
    });
  });

  it("CONFIG_TOO_LARGE above 1 MiB", async () => {
    const path = join(folder, "large.yaml");
    await writeFile(path, `# ${"x".repeat(1024 * 1024)}`);
    expect((await refusal(loadConfig(path))).code).toBe("CONFIG_TOO_LARGE");
  });

  it("CONFIG_SYNTAX for bytes that are no UTF-8", async () => {
    const path = join(folder, "latin.yaml");
    await writeFile(path, Buffer.from("name: caf\xe9\n", "latin1"));
    expect(await refusal(loadConfig(path))).toMatchObject({ code: "CONFIG_SYNTAX", where: path });
  });

  it("CONFIG_FILE_MISSING at the place that names the file, unless files are skipped", async () => {
    const path = join(folder, "ipdm.yaml");
    await writeFile(path, BASE.replace("./rows.csv", "npm:@some-scope/nothing/rows.csv"));
    const error = await refusal(loadConfig(folder));
    expect(error).toMatchObject({
      code: "CONFIG_FILE_MISSING",
      kind: "config",
      where: `${path}:3:17`,
      hint: "npm install @some-scope/nothing",
    });
    expect((error.facts["problems"] as readonly Problem[])[1]).toMatchObject({
      where: `${path}:5:9`,
      message: expect.stringContaining("modules.keep: there is no file") as string,
    });
    expect((await loadConfig(folder, { files: "skip" })).path).toBe(path);
  });

  it("finds npm: files in the node_modules above the configuration, and takes a folder for its ipdm.yaml", async () => {
    const deep = join(folder, "a", "b");
    const data = join(folder, "node_modules", "@scope", "data");
    await mkdir(deep, { recursive: true });
    await mkdir(data, { recursive: true });
    await writeFile(join(data, "rows.csv"), "at\n");
    await writeFile(join(deep, "keep.wasm"), "");
    await writeFile(join(deep, "ipdm.yaml"), BASE.replace("./rows.csv", "npm:@scope/data/rows.csv"));
    const { config, text } = await loadConfig(deep);
    expect(config.sources[0]).toMatchObject({
      file: { written: "npm:@scope/data/rows.csv", path: join(data, "rows.csv") },
    });
    expect(config.folder).toBe(deep);
    expect(text).toContain("name: demo");
  });

  it("stops for an aborted signal", async () => {
    await expect(loadConfig(folder, { signal: AbortSignal.abort(new Error("enough")) })).rejects.toThrow("enough");
  });
});
