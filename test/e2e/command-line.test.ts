import { execFileSync } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { build, endAll, lastJson, ROOT, run, runJson } from "../support/command.ts";
import { makeTestFolder, type TestFolder } from "../support/folder.ts";
import { writeSmall } from "../support/small-flights.ts";

/** Longest that `--help` may take, best of three, in milliseconds. The aim is half a second; a loaded machine gets more. */
const HELP_MS = 2000;

let folder: TestFolder;

beforeAll(async () => {
  build();
  folder = await makeTestFolder("cli");
});
afterAll(async () => {
  endAll();
  await folder.remove();
});

describe("ipdm-runtime", () => {
  it("helps, soon", async () => {
    const times: number[] = [];
    for (let i = 0; i < 3; i++) {
      const began = performance.now();
      const { code, stdout, stderr } = await run(["--help"]);
      times.push(performance.now() - began);
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      for (const command of ["run", "verify", "replay", "init"])
        expect(stdout).toMatch(new RegExp(`^ {2}${command} `, "m"));
    }
    expect(Math.min(...times)).toBeLessThan(HELP_MS);
  });

  it("helps with every command", async () => {
    for (const command of ["run", "verify", "replay", "init"]) {
      const { code, stdout } = await run([command, "--help"]);
      expect({ code, usage: stdout.startsWith(`Usage: ipdm-runtime ${command}`) }).toEqual({ code: 0, usage: true });
    }
  });

  it("says its version", async () => {
    const { version } = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8")) as { version: string };
    expect(await run(["--version"])).toMatchObject({ code: 0, stdout: `${version}\n`, stderr: "" });
  });

  it("suggests the command that was meant", async () => {
    const { code, stderr, stdout } = await run(["verfiy", "x.car"]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toBe("✗ USAGE unknown command 'verfiy'\n  try:   did you mean verify?\n");
  });

  it("shows what there is when no command is given", async () => {
    const { code, stderr } = await run([]);
    expect(code).toBe(2);
    expect(stderr).toContain("Usage: ipdm-runtime");
    expect(stderr).toContain("a command is missing");
  });
});

describe("a newcomer's walk", () => {
  it("goes from init over run and verify to replay", async () => {
    const initialised = await run(["init", "climate"], { cwd: folder.path });
    expect(initialised.code).toBe(0);
    expect(initialised.stdout).toContain("next: cd climate && npx ipdm-runtime run ipdm.yaml");
    const cwd = join(folder.path, "climate");
    const ran = await run(["run", "ipdm.yaml"], { cwd });
    expect({ code: ran.code, warnings: ran.stderr.includes("!") }).toEqual({ code: 0, warnings: false });
    for (const line of [
      /^rows +2,000 in/m,
      /^statements +\d+/m,
      /^certificates +\d+/m,
      /^proofs +1 /m,
      /^seconds +/m,
      /^receipt +out\/room-climate\/receipt\.car \(\d+ KiB\)$/m,
      /^result +bafy/m,
    ]) {
      expect(ran.stdout).toMatch(line);
    }
    expect(ran.stdout.trimEnd().split("\n").at(-1)).toBe("next: npx ipdm-runtime verify out/room-climate/receipt.car");
    const verified = await run(["verify", "out/room-climate/receipt.car"], { cwd });
    expect({ code: verified.code, said: verified.stdout.includes("VERIFIED as self-asserted") }).toEqual({
      code: 0,
      said: true,
    });
    const replayed = await run(["replay", "out/room-climate/receipt.car", "--input", "readings=readings.csv"], { cwd });
    expect({ code: replayed.code, said: replayed.stdout.includes("REPLAYED") }).toEqual({ code: 0, said: true });
    const again = await run(["init", "climate"], { cwd: folder.path });
    expect(again).toMatchObject({ code: 3, stdout: "" });
    expect(again.stderr).toContain("INIT_NOT_EMPTY");
  });
});

describe("--json", () => {
  it("ends with a line of exactly these fields, and every line is an object of version 1", async () => {
    const config = await writeSmall(folder.path, { rows: 3000 });
    const outDir = folder.fresh("out");
    const ended = await run(["run", config, "--out", outDir, "--json"]);
    expect(ended.stderr).toBe("");
    for (const line of ended.stdout.trimEnd().split("\n"))
      expect(JSON.parse(line)).toMatchObject({ v: 1, event: expect.any(String) as string });
    const done = lastJson(ended);
    expect(Object.keys(done).toSorted()).toEqual([
      "certificates",
      "computed",
      "event",
      "keys",
      "late",
      "outputs",
      "proofs",
      "quorum",
      "receipt",
      "receiptBytes",
      "rejected",
      "result",
      "reused",
      "root",
      "rows",
      "seconds",
      "statements",
      "v",
    ]);
    expect(done).toMatchObject({
      v: 1,
      event: "done",
      receipt: join(outDir, "receipt.car"),
      rows: { in: 3000, out: 15 },
      statements: 3,
      certificates: 3,
      proofs: 0,
      reused: [],
      late: {},
      rejected: {},
      quorum: { n: 1, q: 1, f: 0 },
      outputs: [{ name: "table", file: join(outDir, "daily.csv"), rows: 15 }],
    });
    expect(done["result"]).toMatch(/^bafyrei[a-z2-7]+$/);
    expect(done["root"]).toMatch(/^baguqeera[a-z2-7]+$/);
    const verified = await runJson(["verify", join(outDir, "receipt.car"), "--expect", String(done["result"])]);
    expect(verified).toMatchObject({ v: 1, event: "verified", ok: true, root: done["root"], result: done["result"] });
    expect((await readdir(outDir)).toSorted()).toEqual([".data", "daily.csv", "keys.json", "receipt.car"]);
  });
});

describe("progress", () => {
  it("is plain lines without colour or control characters where there is no terminal", async () => {
    const config = await writeSmall(folder.path, { rows: 3000 });
    const { stdout, stderr } = await run(["run", config, "--out", folder.fresh("out")], { env: { NO_COLOR: "" } });
    for (const control of ["\u001b", "\r"]) expect(`${stdout}${stderr}`).not.toContain(control);
    expect((await run(["run", config, "--out", folder.fresh("out"), "--quiet"])).stderr).toBe("");
  });

  const script = hasScript();
  it.skipIf(!script)(
    "is a line, and one a stage, drawn again and again on a terminal, and gone at the end",
    async () => {
      const config = await writeSmall(folder.path, { rows: 12_000, replicas: 1, quorum: 1 });
      const onTerminal = (command: string): string => `script -qec ${JSON.stringify(command)} /dev/null`;
      const env = { CI: "", NO_COLOR: "", COLUMNS: "100" };
      const args = ["run", config, "--out", folder.fresh("out")];
      // An empty CI still counts as set.
      const { code, stdout } = await run(args, {
        env,
        shell: (command) => `unset CI NO_COLOR; ${onTerminal(command)}`,
      });
      expect(code).toBe(0);
      const [drawn = "", summary = ""] = stdout.split(/(?=rows {10})/);
      // Each drawing goes up to where the one before began, and erases it.
      const frames = drawn.split("\u001b[J").slice(1, -1);
      const up = "\r\u001b[2A";
      const bodies = frames.map((frame) => (frame.endsWith(up) ? frame.slice(0, -up.length) : frame));
      expect(bodies.some((body) => /^running: .*\r\n {2}delayed +.*\r\n {2}daily +[^\r\n]*$/.test(body))).toBe(true);
      for (const [i, frame] of frames.entries())
        expect(bodies[i]?.split("\n")).toHaveLength(frame.endsWith(up) ? 3 : 1);
      expect(drawn.endsWith("\r\u001b[2A\u001b[J")).toBe(true);
      expect(summary).toContain("receipt");
    },
  );

  it.skipIf(!script)("has colour on a terminal, and none with NO_COLOR", async () => {
    const onTerminal = (command: string): string => `script -qec ${JSON.stringify(command)} /dev/null`;
    const coloured = await run(["run", "none.yaml"], {
      shell: (command) => `unset CI NO_COLOR; ${onTerminal(command)}`,
    });
    expect(coloured.stdout).toContain("\u001b[31m");
    const plain = await run(["run", "none.yaml"], { shell: onTerminal });
    expect(plain.stdout).toContain("CONFIG_MISSING");
    expect(plain.stdout).not.toContain("\u001b[");
  });
});

/** `script` of util-linux gives a command a terminal. */
function hasScript(): boolean {
  try {
    return execFileSync("script", ["--version"], { encoding: "utf8" }).includes("util-linux");
  } catch {
    return false;
  }
}
