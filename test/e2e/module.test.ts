import { copyFile, cp, mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Catalogue } from "../../src/registry/catalogue.ts";
import { audit } from "../support/audit.ts";
import { entryOf } from "../support/catalogue.ts";
import { build, type Ended, endAll, lastJson, ROOT, run, runJson, start } from "../support/command.ts";
import { runHere, runJsonHere } from "../support/command-here.ts";
import { makeTestFolder, type TestFolder } from "../support/folder.ts";
import { smallCsv } from "../support/small-flights.ts";
import { watBytes, watSource } from "../support/wat-module.ts";

const LATE = join(ROOT, "examples", "flights", "late.wasm");
const COLUMNS = "date=timestamp,delay=i64,distance=i64,origin=utf8,destination=utf8";
// Overwrites the first value of every batch, so that it matters where batches are cut.
const FIRST_OF_BATCH = watSource({
  process: `(if (i32.load offset=12 (local.get $batch)) (then
    (i32.store (i32.add (local.get $batch) (i32.load offset=96 (local.get $batch))) (i32.const 77)))) (local.get $batch)`,
});

// One way through each command is a process of its own, as users start it; the other ways run in this process.
let folder: TestFolder;
let rows: string;

beforeAll(async () => {
  build();
  folder = await makeTestFolder("module");
  rows = join(folder.path, "flights.csv");
  await writeFile(rows, smallCsv(2000));
  await writeFile(join(folder.path, "echo.wasm"), await watBytes(watSource()));
  await writeFile(join(folder.path, "first.wasm"), await watBytes(FIRST_OF_BATCH));
  await writeFile(join(folder.path, "import.wasm"), await watBytes(`(module (import "env" "f" (func)))`));
  await writeFile(join(folder.path, "trap.wasm"), await watBytes(watSource({ process: "unreachable" })));
});
afterAll(async () => {
  endAll();
  await folder.remove();
});

const file = (name: string): string => join(folder.path, name);
const fresh = async (): Promise<string> => {
  const path = folder.fresh("w");
  await mkdir(path);
  return path;
};
const publishLate = (cwd: string, version: string, more: readonly string[] = []): Promise<Record<string, unknown>> =>
  runJson(
    [
      "module",
      "publish",
      LATE,
      "--name",
      "late",
      "--version",
      version,
      "--input",
      rows,
      "--input-columns",
      COLUMNS,
      ...more,
    ],
    { cwd },
  );
/** Puts a module into the catalogue `shelf` of a folder, as `publish` does once its check has passed. */
async function shelve(cwd: string, path: string, version: string): Promise<void> {
  const bytes = new Uint8Array(await readFile(path));
  await using catalogue = await Catalogue.open(join(cwd, "shelf"), { create: true });
  await catalogue.add(entryOf(bytes, { version }), bytes);
}
const config = (module: string): string => `name: late-flights
catalogue: ./shelf
sources:
  flights: { file: ${rows}, columns: { ${COLUMNS.replaceAll("=", ": ").replaceAll(",", ", ")} } }
tasks:
  delayed: { module: "${module}", input: flights }
outputs:
  table: { input: delayed, file: late.ndjson }
`;
const codeOf = (ended: Ended): unknown => [ended.code, lastJson(ended)["code"]];

describe("module check", () => {
  it("reports what a module is and that it is the same everywhere", async () => {
    const said = await runJson(["module", "check", LATE, "--input", rows, "--input-columns", COLUMNS]);
    expect(said).toMatchObject({
      v: 1,
      event: "checked",
      ok: true,
      hostTable: "ipdm-host/2",
      facts: { costTable: "ipdm-cost/2", imports: ["env.abort(i32,i32,i32,i32)->()"], functions: { recursive: 0 } },
      calls: {
        given: true,
        rows: 2000,
        runs: ["this process", "this process, again", "--liftoff-only", "--no-liftoff"],
      },
    });
    const { stdout, code } = await runHere(["module", "check", file("echo.wasm")]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^PASSED$/m);
    expect(stdout).toMatch(/completed +15 with rows: 3,222 in, 3,222 out/);
  });

  it.each([
    ["first.wasm", "MODULE_NOT_ROWWISE", 5],
    ["import.wasm", "MODULE_IMPORT_DENIED", 5],
    ["trap.wasm", "CHECK_NOT_EXERCISED", 5],
    ["flights.csv", "MODULE_NOT_WASM", 5],
    ["nothing.wasm", "MODULE_MISSING", 3],
  ])("finds what is wrong with %s: %s", async (name, code, exit) => {
    expect(codeOf(await runHere(["module", "check", file(name), "--json"]))).toEqual([exit, code]);
  });
});

describe("module publish, list, show, export, import, run", () => {
  it("carry a module from one catalogue to another", async () => {
    const cwd = await fresh();
    const published = await publishLate(cwd, "1.2.0", ["--description", "late flights"]);
    const key = join(cwd, ".ipdm", "catalogue", "publisher.key");
    expect(published).toMatchObject({
      event: "published",
      ok: true,
      outcome: "published",
      key: { file: key, made: true },
    });
    expect((await stat(key)).mode & 0o777).toBe(0o600);
    expect(await publishLate(cwd, "1.2.0", ["--description", "late flights"])).toMatchObject({ outcome: "present" });
    const { module, entry, publisher } = published;
    const listed = await run(["module", "list", "--json"], { cwd });
    // Behind those that come with the runtime.
    const mine = listed.stdout.split("\n").filter((line) => line.includes('"event":"module"'));
    expect(mine.map((line) => JSON.parse(line) as unknown)).toEqual([
      {
        v: 1,
        event: "module",
        name: "late",
        version: "1.2.0",
        module,
        entry,
        publisher,
      },
    ]);
    expect(lastJson(listed)).toMatchObject({ event: "listed", ok: true, modules: 1 });
    const show = await runJson(["module", "show", "late@^1"], { cwd });
    expect(show).toMatchObject({
      event: "shown",
      description: "late flights",
      abi: "ipdm/1",
      unit: null,
      entry,
      publisher,
    });
    await runJson(["module", "export", "late", "late.car"], { cwd });
    const imported = await runJson(["module", "import", "late.car", "--catalogue", "other"], { cwd });
    expect(imported).toMatchObject({ event: "imported", ok: true, outcome: "published", entry, publisher });
    const args = ["module", "run", "late@~1.2", "--catalogue", "other", "--input", rows, "--input-columns", COLUMNS];
    const ran = await run(args, { cwd });
    expect(ran.stderr).toMatch(/late@1\.2\.0: 2000 rows in, \d+ out, \d+ fuel/);
    const lines = ran.stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as { delay: number; hour: number });
    expect(lines.length).toBeGreaterThan(100);
    expect(lines.every(({ delay, hour }) => delay >= 15 && hour >= 0)).toBe(true);
    const asFile = await runJson([...args, "--output", "late.csv"], { cwd });
    expect(asFile).toMatchObject({ event: "ran", ok: true, rowsOut: lines.length });
    expect((await readFile(join(cwd, "late.csv"), "utf8")).trimEnd().split("\n")).toHaveLength(lines.length + 1);
  });

  it("refuse what fails the check, another key's name, other contents of a version, and damaged files", async () => {
    const cwd = await fresh();
    const publish = (name: string, more: readonly string[]): Promise<Ended> =>
      runHere(["module", "publish", file(name), ...more, "--json"], { cwd });
    const named = ["--name", "echo", "--version", "1.0.0"];
    expect(codeOf(await publish("first.wasm", named))).toEqual([5, "MODULE_NOT_ROWWISE"]);
    expect(codeOf(await publish("trap.wasm", named))).toEqual([5, "CHECK_NOT_EXERCISED"]);
    // Nothing was made for what was refused.
    await expect(stat(join(cwd, ".ipdm"))).rejects.toMatchObject({ code: "ENOENT" });
    expect(codeOf(await publish("echo.wasm", ["--name", "Echo", "--version", "1.0.0"]))).toEqual([
      2,
      "MODULE_NAME_INVALID",
    ]);
    expect(codeOf(await publish("echo.wasm", ["--name", "echo", "--version", "1.0"]))).toEqual([
      2,
      "MODULE_VERSION_INVALID",
    ]);
    expect(codeOf(await publish("echo.wasm", [...named, "--key", "no.key"]))).toEqual([3, "KEY_MISSING"]);
    expect((await publish("echo.wasm", named)).code).toBe(0);
    expect(codeOf(await publish("echo.wasm", [...named, "--description", "x"]))).toEqual([
      6,
      "CATALOGUE_VERSION_TAKEN",
    ]);
    await writeFile(join(cwd, "other.key"), `${"07".repeat(32)}\n`);
    const other = ["--name", "echo", "--version", "2.0.0", "--key", "other.key"];
    expect(codeOf(await publish("echo.wasm", other))).toEqual([6, "CATALOGUE_NAME_TAKEN"]);
    await runJsonHere(["module", "export", "echo", "echo.car"], { cwd });
    const car = await readFile(join(cwd, "echo.car"));
    car[car.length - 1] = (car.at(-1) as number) ^ 1;
    await writeFile(join(cwd, "bad.car"), car);
    expect(codeOf(await runHere(["module", "import", "bad.car", "--json"], { cwd }))).toEqual([5, "DAG_CID_MISMATCH"]);
    const elsewhere = ["module", "import", "bad.car", "--catalogue", "none", "--json"];
    expect(codeOf(await runHere(elsewhere, { cwd }))).toEqual([5, "DAG_CID_MISMATCH"]);
    await expect(stat(join(cwd, "none"))).rejects.toMatchObject({ code: "ENOENT" });
    expect(lastJson(await runHere(["module", "list", "--json"], { cwd }))).toMatchObject({ modules: 1 });
  });
});

describe("a pipeline with a module of the catalogue", () => {
  it("pins the version it takes, which verify shows and replay runs; the next run takes a newer one", async () => {
    const cwd = await fresh();
    await writeFile(join(cwd, "ipdm.yaml"), config("late@^1.2"));
    await shelve(cwd, LATE, "1.2.0");
    const first = await runJson(["run", "ipdm.yaml", "--out", "out"], { cwd });
    const verified = await runJson(["verify", "out/receipt.car"], { cwd });
    const pinned = { task: "delayed", name: "late", range: "^1.2", version: "1.2.0" };
    expect(verified).toMatchObject({ ok: true, lock: [pinned] });
    expect((await run(["verify", "out/receipt.car"], { cwd })).stdout).toContain(
      "delayed: late@1.2.0 (asked for ^1.2)",
    );
    await copyFile(join(cwd, "out", "receipt.car"), join(cwd, "first.car"));
    // The same again: nothing is newer, everything is reused.
    expect(await runJson(["run", "ipdm.yaml", "--out", "out"], { cwd })).toMatchObject({ reused: ["delayed"] });
    await shelve(cwd, file("echo.wasm"), "1.3.0");
    const second = await runJson(["run", "ipdm.yaml", "--out", "out"], { cwd });
    expect(second).toMatchObject({ reused: [], rows: { in: 2000, out: 2000 } });
    expect(second["result"]).not.toBe(first["result"]);
    expect(await runJson(["verify", "out/receipt.car"], { cwd })).toMatchObject({
      lock: [{ ...pinned, version: "1.3.0" }],
    });
    await audit(join(cwd, "out"));
    const replayed = await runJson(["replay", "first.car", "--data", "out/.data"], { cwd });
    expect(replayed).toMatchObject({ ok: true });
    // The result is the module's, whatever way it came: the file by its path gives the same.
    const byPath = config("late").replace("catalogue: ./shelf\n", `modules: { late: ${LATE} }\n`);
    await writeFile(join(cwd, "path.yaml"), byPath);
    expect(await runJson(["run", "path.yaml", "--out", "by-path"], { cwd })).toMatchObject({ result: first["result"] });
  });

  it("is the same for voters, and an error of the module names it as people know it", async () => {
    const cwd = await fresh();
    await writeFile(join(cwd, "ipdm.yaml"), config("late@1.x"));
    await shelve(cwd, LATE, "1.2.0");
    const one = await runJsonHere(["run", "ipdm.yaml", "--out", "one"], { cwd });
    const three = await runJsonHere(["run", "ipdm.yaml", "--out", "three", "--replicas", "3"], { cwd });
    expect(three["result"]).toBe(one["result"]);
    expect(await runJsonHere(["verify", "three/receipt.car"], { cwd })).toMatchObject({
      ok: true,
      quorum: { n: 3, q: 2 },
      lock: [{ task: "delayed", version: "1.2.0" }],
    });
    // Rows without the column that the module asks for.
    await writeFile(join(cwd, "other.csv"), smallCsv(10).replace("delay", "lateness"));
    const other = config("late@1.x").replace(rows, "./other.csv").replace("delay:", "lateness:");
    await writeFile(join(cwd, "other.yaml"), other);
    const failed = lastJson(await runHere(["run", "other.yaml", "--json"], { cwd }));
    expect(failed).toMatchObject({
      code: "MODULE_TRAP",
      where: "late@1.2.0 a batch without rows",
      message: expect.stringContaining("tasks.delayed: module late@1.2.0 trapped") as string,
    });
  });

  it("says what there is where nothing fits", async () => {
    const cwd = await fresh();
    const failing = async (module: string): Promise<Record<string, unknown>> => {
      await writeFile(join(cwd, "ipdm.yaml"), config(module));
      const ended = await runHere(["run", "ipdm.yaml", "--json"], { cwd });
      expect(ended.code).toBe(3);
      return lastJson(ended);
    };
    expect(await failing("late@^1")).toMatchObject({ code: "CATALOGUE_MISSING" });
    await shelve(cwd, LATE, "1.2.0");
    expect(await failing("late@^2")).toMatchObject({ code: "MODULE_VERSION_NONE", hint: "there are 1.2.0" });
    expect(await failing("lat@^1")).toMatchObject({ code: "MODULE_UNKNOWN", hint: "it has late" });
    expect(await failing("late@newest")).toMatchObject({ code: "CONFIG_INVALID" });
  });
});

describe("catalogues of two processes", () => {
  it("find each other: one serves, others pull, and run what they do not have", async () => {
    const cwd = await fresh();
    const bytes = new Uint8Array(await readFile(LATE));
    {
      await using shelf = await Catalogue.open(join(cwd, "shelf"), { create: true });
      await shelf.add(entryOf(bytes, { version: "1.2.0" }), bytes);
    }
    const serving = start(["module", "serve", "--catalogue", "shelf", "--json"], { cwd });
    await serving.says("addresses");
    const { addresses, modules } = JSON.parse(serving.said()) as { addresses: string[]; modules: number };
    expect(modules).toBe(1);
    const [address = ""] = addresses;
    expect(address).toMatch(/^\/ip4\/127\.0\.0\.1\/tcp\/\d+\/p2p\/\w+$/);
    const pull = ["module", "pull", "late@^1", "--from", address, "--catalogue", "pulled"];
    expect(await runJson(pull, { cwd })).toMatchObject({ event: "pulled", added: [{ version: "1.2.0" }] });
    const yaml = config("late@^1.2").replace("./shelf", `{ folder: ./peers, peers: [ ${address} ] }`);
    await writeFile(join(cwd, "ipdm.yaml"), yaml);
    const ran = await run(["run", "ipdm.yaml", "--out", "out", "--json"], { cwd });
    expect(lastJson(ran)).toMatchObject({ event: "done", rows: { in: 2000 } });
    expect(ran.stdout).toContain('"code":"MODULE_LOCKED"');
    serving.child.kill("SIGINT");
    expect((await serving.ended).code).toBe(130);
    const lacking = await run(["run", "ipdm.yaml", "--catalogue", "none", "--json"], { cwd });
    expect(codeOf(lacking)).toEqual([4, "PEER_UNREACHABLE"]);
  });
});

describe("module new and module test", () => {
  it.each(["filter", "map", "flat-map", "aggregate", "stateful"])(
    "the example %s gives what its cases expect",
    async (name) => {
      expect(await runJsonHere(["module", "test", join(ROOT, "examples", "modules", name)])).toMatchObject({
        event: "tested",
        ok: true,
        cases: 2,
      });
    },
  );

  it("write a project whose cases pass until it changes", async () => {
    const cwd = await fresh();
    const created = await runJson(["module", "new", "map", "--template", "map"], { cwd });
    expect(created).toMatchObject({ event: "created", ok: true, template: "map" });
    const project = join(cwd, "map");
    // As `npm run build` there does; that it does is another test's.
    await cp(join(ROOT, "examples/modules/map/build"), join(project, "build"), { recursive: true });
    expect(await runJson(["module", "test", "map"], { cwd })).toMatchObject({ ok: true, failed: 0 });
    expect(await runJsonHere(["module", "check", "map"], { cwd })).toMatchObject({ ok: true });
    const expected = join(cwd, "map", "cases", "readings.expected.ndjson");
    await writeFile(expected, (await readFile(expected, "utf8")).replace("88.25", "88.5"));
    const differs = await run(["module", "test", "map"], { cwd });
    expect(differs.code).toBe(1);
    expect(differs.stdout).toContain('- 2: {"room":"attic","millicelsius":31250,"fahrenheit":88.5}');
    expect(differs.stdout).toContain('+ 2: {"room":"attic","millicelsius":31250,"fahrenheit":88.25}');
    expect((await runHere(["module", "test", "map", "--update"], { cwd })).code).toBe(0);
    expect((await runHere(["module", "test", "map"], { cwd })).code).toBe(0);
    expect(codeOf(await runHere(["module", "new", "map", "--json"], { cwd }))).toEqual([3, "INIT_NOT_EMPTY"]);
    expect(codeOf(await runHere(["module", "new", "x", "--template", "none", "--json"], { cwd }))).toEqual([
      2,
      "USAGE",
    ]);
    await cp(join(cwd, "map"), join(cwd, "bare"), { recursive: true, filter: (path) => !path.includes("cases") });
    expect(codeOf(await runHere(["module", "test", "bare", "--json"], { cwd }))).toEqual([3, "MODULE_CASES_MISSING"]);
  });
});
