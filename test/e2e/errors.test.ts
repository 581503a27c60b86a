import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { build, endAll, run } from "../support/command.ts";
import { runHere } from "../support/command-here.ts";
import { type Change, checkFailed, type Failed, runChanged } from "../support/failing.ts";
import { makeTestFolder, type TestFolder } from "../support/folder.ts";
import { writeSmall } from "../support/small-flights.ts";
import { watBytes, watSource } from "../support/wat-module.ts";

const TRAP = watSource({ process: "unreachable" });
const TRAP_ON_ROWS = watSource({
  process: "(if (i32.gt_u (memory.size) (i32.const 1)) (then unreachable)) (local.get $batch)",
});
const LOOP_ON_ROWS = watSource({
  process: "(if (i32.gt_u (memory.size) (i32.const 1)) (then (loop (br 0)))) (local.get $batch)",
});
// Overwrites the first value of every batch, so that it matters where batches are cut.
const FIRST_OF_BATCH = watSource({
  process: `(if (i32.load offset=12 (local.get $batch)) (then
    (i32.store (i32.add (local.get $batch) (i32.load offset=96 (local.get $batch))) (i32.const 77)))) (local.get $batch)`,
});

let folder: TestFolder;
let good: string;

beforeAll(async () => {
  build();
  folder = await makeTestFolder("errors");
  const { path } = folder;
  good = await readFile(await writeSmall(path, { rows: 5000 }), "utf8");
  await writeFile(join(path, "trap.wasm"), await watBytes(TRAP));
  await writeFile(join(path, "trap-on-rows.wasm"), await watBytes(TRAP_ON_ROWS));
  await writeFile(join(path, "loop-on-rows.wasm"), await watBytes(LOOP_ON_ROWS));
  await writeFile(join(path, "first-of-batch.wasm"), await watBytes(FIRST_OF_BATCH));
  await writeFile(join(path, "text.wasm"), "not a module");
  await mkdir(join(path, "folder.csv"));
  await writeFile(join(path, "broken.csv.gz"), "not compressed");
  await writeFile(join(path, "broken.parquet"), new Uint8Array(5000).fill(7));
  await writeFile(join(path, "file"), "");
  await mkdir(join(path, "taken", "daily.csv"), { recursive: true });
});
afterAll(async () => {
  endAll();
  await folder.remove();
});

const failed = (changes: readonly Change[], args: readonly string[] = []): Promise<Failed> =>
  runChanged(folder, good, changes, args, { by: runHere });

const FILE = "file: ./flights.csv";
const MODULE = /file: \S+late\.wasm/;

describe("what is wrong is said, with its place and the next step:", () => {
  it.each<[string, readonly Change[], number, string, string]>([
    ["a missing file", [[FILE, "file: ./nothing.csv"]], 3, "CONFIG_FILE_MISSING", "there is no file"],
    ["a folder as file", [[FILE, "file: ./folder.csv"]], 3, "CONFIG_FILE_MISSING", "is a folder"],
    [
      "a device as file",
      [
        [FILE, "file: /dev/zero, format: csv"],
        ["\n    file: /dev/zero, format: csv", "\n    file: /dev/zero\n    format: csv"],
      ],
      3,
      "CONFIG_FILE_MISSING",
      "is not a regular file",
    ],
    ["a broken compressed file", [[FILE, "file: ./broken.csv.gz"]], 1, "SOURCE_MALFORMED", "broken.csv.gz is broken"],
    ["a broken parquet file", [[FILE, "file: ./broken.parquet"]], 1, "SOURCE_MALFORMED", "broken.parquet is broken"],
    [
      "a time column that is not there",
      [["column: date", "column: dat"]],
      3,
      "COLUMN_MISSING",
      "there is no column dat",
    ],
    ["a key that is not there", [["key: [origin]", "key: [orign]"]], 3, "COLUMN_MISSING", "there is no column orign"],
    [
      "an aggregate's column that is not there",
      [["sum(delay)", "sum(dely)"]],
      3,
      "COLUMN_MISSING",
      "there is no column dely",
    ],
    ["a sum of text", [["sum(delay)", "sum(destination)"]], 3, "AGGREGATE_TYPE", "destination is utf8"],
    ["a column the file has not", [["distance: i64", "far: i64"]], 3, "", "far"],
    ["a value of another type", [["origin: utf8", "origin: i64"]], 1, "SOURCE_ROW_INVALID", "flights.csv:2"],
    ["a module that is not there", [[MODULE, "file: ./none.wasm"]], 3, "CONFIG_FILE_MISSING", "modules.late"],
    [
      "a module that is no WASM",
      [[MODULE, "file: ./text.wasm"]],
      3,
      "MODULE_NOT_WASM",
      "module late is not a WebAssembly module",
    ],
    ["a module that traps", [[MODULE, "file: ./trap.wasm"]], 1, "MODULE_TRAP", "tasks.delayed: module late trapped"],
    [
      "a module that traps on rows",
      [[MODULE, "file: ./trap-on-rows.wasm"]],
      1,
      "MODULE_TRAP",
      "trapped on rows 0 to 4095",
    ],
    [
      "a module that loops forever",
      [[MODULE, "file: ./loop-on-rows.wasm"]],
      1,
      "MODULE_FUEL_EXHAUSTED",
      "used up its fuel on rows 0 to",
    ],
    [
      "one that loops longer than a node may wait, on three nodes",
      [
        [MODULE, "file: ./loop-on-rows.wasm"],
        ["timeout: 5s", "timeout: 300ms, fuel: { call: 1000000000000 }"],
        ["replicas: 1, quorum: 1", "replicas: 3, quorum: 2"],
      ],
      1,
      "MODULE_TIMEOUT",
      "ran longer than 300 ms",
    ],
    [
      "a module that is not row-wise",
      [[MODULE, "file: ./first-of-batch.wasm"]],
      3,
      "MODULE_NOT_ROWWISE",
      "module late gives other rows",
    ],
    ["an unknown key", [["tumble", "tumbel"]], 3, "CONFIG_INVALID", "tumbel"],
    ["an unknown input", [["input: daily", "input: dayly"]], 3, "CONFIG_INVALID", "dayly"],
    ["an unknown output form", [["daily.csv", "daily.xls"]], 3, "CONFIG_INVALID", "daily.xls"],
    [
      "an output over its own input",
      [["file: daily.csv", "file: ../flights.csv"]],
      3,
      "CONFIG_OUTPUT_CLASH",
      "would overwrite",
    ],
    ["no YAML", [["domain:", "domain"]], 3, "CONFIG_SYNTAX", ""],
    [
      "an output where none can be",
      [["file: daily.csv", "file: /proc/none/daily.csv"]],
      3,
      "FOLDER_UNWRITABLE",
      "/proc/none",
    ],
  ])("%s", async (_name, changes, exit, code, message) => {
    const { error } = await failed(changes);
    expect(error).toMatchObject({ exit, ...(code === "" ? {} : { code }) });
    expect(`${String(error["message"])} ${String(error["where"])}`).toContain(message);
  });

  it.each<[string, readonly string[], string]>([
    ["a missing argument", ["run"], "USAGE"],
    ["an unknown command", ["rnu", "x"], "USAGE"],
    ["an unknown option", ["run", "ipdm.yaml", "--bogus"], "USAGE"],
    ["too many arguments", ["run", "ipdm.yaml", "more"], "USAGE"],
    ["no rows a batch", ["run", "ipdm.yaml", "--batch-rows", "0"], "BATCH_ROWS_INVALID"],
    ["too many rows a batch", ["run", "ipdm.yaml", "--batch-rows", "5000"], "BATCH_ROWS_INVALID"],
    ["an empty folder name", ["run", "ipdm.yaml", "--out="], "USAGE"],
    ["no number of rows", ["run", "ipdm.yaml", "--batch-rows", "abc"], "USAGE"],
    ["a negative number", ["run", "ipdm.yaml", "--batch-rows=-3"], "USAGE"],
    ["no replicas", ["run", "ipdm.yaml", "--replicas", "0"], "REPLICAS_INVALID"],
    ["too many replicas", ["run", "ipdm.yaml", "--replicas", "99"], "REPLICAS_INVALID"],
  ])("%s", async (_name, args, code) => {
    const { error, code: exit } = checkFailed(await runHere([...args, "--json"], { cwd: folder.path }));
    expect(exit).toBe(2);
    expect(error["code"]).toBe(code);
  });

  it("no configuration, and a folder without one", async () => {
    for (const path of ["none.yaml", "taken"]) {
      const { error } = checkFailed(await runHere(["run", path, "--json"], { cwd: folder.path }));
      expect(error).toMatchObject({ code: "CONFIG_MISSING", exit: 3 });
    }
  });

  it.each<[string, readonly string[]]>([
    ["an out folder that cannot be made", ["--out", "/proc/none"]],
    ["a file as out folder", ["--out", "file"]],
    ["a data folder below a file", ["--data", "file/data"]],
    ["a folder in an output's place", ["--out", "taken"]],
  ])("%s", async (_name, args) => {
    const { error } = await failed([], args);
    expect(error).toMatchObject({ code: "FOLDER_UNWRITABLE", exit: 3 });
  });

  // The others run in this process.
  it.each<[string, readonly Change[], readonly string[], number, string]>([
    ["a module that traps", [[MODULE, "file: ./trap.wasm"]], [], 1, "MODULE_TRAP"],
    ["too many replicas", [], ["--replicas", "99"], 2, "REPLICAS_INVALID"],
    ["a missing file", [[FILE, "file: ./nothing.csv"]], [], 3, "CONFIG_FILE_MISSING"],
  ])("as the exit code of a process: %s", async (_name, changes, args, exit, code) => {
    const { error, code: ended } = await runChanged(folder, good, changes, args);
    expect({ ended, said: error["code"] }).toEqual({ ended: exit, said: code });
  });

  it("a stack only when asked", async () => {
    const { stderr } = await run(["run", "none.yaml", "--verbose"], { cwd: folder.path });
    expect(stderr).toMatch(/\n\s+at /);
  });
});
