import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, copyFile, mkdir, readFile, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BIN, build, endAll, lastJson, run, type StartOptions } from "../support/command.ts";
import { type Change, checkFailed, type Failed, runChanged } from "../support/failing.ts";
import { makeTestFolder, type TestFolder } from "../support/folder.ts";
import { writeSmall } from "../support/small-flights.ts";

let folder: TestFolder;
let good: string;

beforeAll(async () => {
  build();
  folder = await makeTestFolder("disk");
  good = await readFile(await writeSmall(folder.path, { rows: 5000 }), "utf8");
});
afterAll(async () => {
  endAll();
  await folder.remove();
});

const failed = (
  changes: readonly Change[],
  args: readonly string[] = [],
  options: StartOptions = {},
): Promise<Failed> => runChanged(folder, good, changes, args, options);

const FILE = "file: ./flights.csv";
const MODULE = /file: \S+late\.wasm/;

const isRoot = process.getuid?.() === 0;
const NOBODY = ["--reuid=65534", "--regid=65534", "--clear-groups"];
const canDrop = isRoot && works("setpriv", [...NOBODY, process.execPath, BIN, "--version"]);

describe("without permission", () => {
  it("an unreadable file or module and an unwritable folder are said so", async (context) => {
    // Root may read and write everything, so there the command runs as somebody else.
    if (isRoot && !canDrop) return context.skip("root may do anything, and here it cannot run a command as nobody");
    const { path } = folder;
    await chmod(path, 0o755);
    const shell = canDrop ? (command: string) => `exec setpriv ${NOBODY.join(" ")} ${command}` : undefined;
    const options: StartOptions = shell === undefined ? {} : { shell };
    const out = folder.fresh("open");
    const closed = folder.fresh("closed");
    await mkdir(out);
    await chmod(out, 0o777);
    await mkdir(closed);
    await chmod(closed, 0o555);
    await copyFile(join(path, "flights.csv"), join(path, "secret.csv"));
    await writeFile(join(path, "secret.wasm"), "");
    await chmod(join(path, "secret.csv"), 0);
    await chmod(join(path, "secret.wasm"), 0);
    const source = await failed([[FILE, "file: ./secret.csv"]], ["--out", out], options);
    expect(source.error).toMatchObject({ code: "SOURCE_UNREADABLE", exit: 3 });
    const module = await failed([[MODULE, "file: ./secret.wasm"]], ["--out", out], options);
    expect(module.error).toMatchObject({ code: "MODULE_UNREADABLE", exit: 3 });
    const outDir = await failed([], ["--out", join(closed, "x")], options);
    expect(outDir.error).toMatchObject({ code: "FOLDER_UNWRITABLE", exit: 3 });
    const data = await failed([], ["--out", out, "--data", join(closed, "x")], options);
    expect(data.error).toMatchObject({ code: "FOLDER_UNWRITABLE", exit: 3 });
  });
});

describe("a disk that is full", () => {
  const canMount = isRoot && works("unshare", ["--mount", "true"]);

  it("is said, and the same command goes on once there is room", async (context) => {
    if (!canMount) return context.skip("needs a root that may mount a small disk");
    const disk = folder.fresh("disk");
    await mkdir(disk);
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", disk]);
    try {
      const large = folder.fresh("large");
      await mkdir(large);
      const config = await writeSmall(large, { rows: 40_000 });
      const args = ["run", config, "--out", folder.fresh("out"), "--data", join(disk, "data")];
      const { error } = checkFailed(await run([...args, "--json"]));
      expect(error).toMatchObject({ code: "DISK_FULL", exit: 1 });
      execFileSync("mount", ["-o", "remount,size=64m", disk]);
      const again = await run([...args, "--json"]);
      const elsewhere = await run(["run", config, "--out", folder.fresh("out"), "--json"]);
      expect(again.code).toBe(0);
      expect(lastJson(again)["result"]).toBe(lastJson(elsewhere)["result"]);
    } finally {
      execFileSync("umount", [disk]);
    }
  });

  it("is said when it is the outputs' own, by a limit of the size of files", async () => {
    // 8 KiB a file: nothing that a run keeps fits.
    const { error } = await failed([], [], { shell: (command) => `ulimit -f 8; ${command}` });
    expect(error).toMatchObject({ exit: 1 });
  });

  it("is said when stdout is on it", async (context) => {
    if (!existsSync("/dev/full")) return context.skip("needs /dev/full");
    const { code, stderr } = await run(["run", "ipdm.yaml", "--out", folder.fresh("out")], {
      cwd: folder.path,
      shell: (command) => `${command} > /dev/full`,
    });
    expect(code).toBe(1);
    expect(stderr).toContain("STDOUT_FAILED");
  });
});

describe("an input that changes while it is read", () => {
  it("is never mixed: a file cut short between two runs gives another result", async () => {
    const dir = folder.fresh("cut");
    await mkdir(dir);
    const config = await writeSmall(dir, { rows: 2000 });
    const out = join(dir, "out");
    const first = lastJson(await run(["run", config, "--out", out, "--json"]));
    const csv = join(dir, "flights.csv");
    const text = await readFile(csv, "utf8");
    await truncate(csv, text.lastIndexOf("\n", text.length - 2) + 1);
    const second = lastJson(await run(["run", config, "--out", out, "--json"]));
    expect(second).toMatchObject({ event: "done", rows: { in: 1999 }, reused: [] });
    expect(second["result"]).not.toBe(first["result"]);
  });
});

function works(program: string, args: readonly string[]): boolean {
  try {
    execFileSync(program, args, { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
