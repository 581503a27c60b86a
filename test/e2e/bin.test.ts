import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdir, mkdtemp, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const ROOT = resolve(import.meta.dirname, "../..");

// The start script is copied into a package of its own, with a command that says how it was started.
const MAIN = `
export async function main(argv) {
  if (argv[0] === "fail") throw new Error("it broke");
  const timer = setInterval(() => {}, 1000);
  const asked = new Promise((done) => process.on("SIGTERM", () => done(130)));
  console.log(JSON.stringify({ argv, pid: process.pid }));
  const code = argv[0] === "wait" ? await asked : Number(argv[0]);
  clearInterval(timer);
  return code;
}`;
// Makes the first process believe that it is an old Node.js; the one that it starts instead is itself.
const OLD = `if (process.env.IPDM_WRAPPED !== "1") Object.defineProperty(process, "version", { value: "v20.1.2" });`;

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

let dir: string;
let plain: string;
let bundled: string;

beforeAll(async () => {
  dir = await realpath(await mkdtemp(join(tmpdir(), "ipdm-bin-")));
  plain = await makePackage("plain");
  bundled = await makePackage("bundled");
  const home = join(bundled, "node_modules", "node");
  await mkdir(join(home, "bin"), { recursive: true });
  await symlink(process.execPath, join(home, "bin", "node"));
  await writeFile(join(home, "package.json"), JSON.stringify({ name: "node", version: process.versions.node }));
  await writeFile(join(dir, "old.cjs"), OLD);
});

afterAll(() => rm(dir, { recursive: true, force: true }));

async function makePackage(name: string): Promise<string> {
  const home = join(dir, name);
  await cp(join(ROOT, "bin"), join(home, "bin"), { recursive: true });
  await mkdir(join(home, "dist", "src", "cli"), { recursive: true });
  await writeFile(join(home, "package.json"), JSON.stringify({ name, type: "module" }));
  await writeFile(join(home, "dist", "src", "cli", "main.js"), MAIN);
  return home;
}

function start(home: string, args: readonly string[], options: { readonly old?: boolean } = {}): ChildProcess {
  const preload = options.old === true ? ["--require", join(dir, "old.cjs")] : [];
  return spawn(process.execPath, [...preload, join(home, "bin", "ipdm-runtime.js"), ...args], {
    stdio: ["ignore", "pipe", "pipe"],
  });
}

async function ended(child: ChildProcess): Promise<Ended> {
  const text = { stdout: "", stderr: "" };
  child.stdout?.on("data", (part: Buffer) => (text.stdout += part.toString()));
  child.stderr?.on("data", (part: Buffer) => (text.stderr += part.toString()));
  const [code] = (await once(child, "close")) as [number | null];
  return { code, ...text };
}

describe("bin/ipdm-runtime.js", () => {
  it("hands arguments in and the exit code out", async () => {
    const { code, stdout } = await ended(start(plain, ["3", "a b", "--c"]));
    expect(code).toBe(3);
    expect(JSON.parse(stdout)).toMatchObject({ argv: ["3", "a b", "--c"] });
  });

  it("shows a failure as one line, and its stack when asked", async () => {
    expect(await ended(start(plain, ["fail"]))).toEqual({ code: 1, stdout: "", stderr: "ipdm-runtime: it broke\n" });
    expect((await ended(start(plain, ["fail", "--verbose"]))).stderr).toContain("main.js:");
  });

  it("says in one sentence what to type under an old Node.js", async () => {
    const { code, stdout, stderr } = await ended(start(plain, ["run", "a.yaml"], { old: true }));
    expect(code).toBe(1);
    expect(stdout).toBe("");
    expect(stderr).toBe(
      "ipdm-runtime needs Node.js 22.12 or newer and this is 20.1.2; type: npx -p node@24 -p ipdm-runtime ipdm-runtime run a.yaml\n",
    );
  });

  it("uses a bundled Node.js that is new enough instead of an old one", async () => {
    const { code, stdout } = await ended(start(bundled, ["4", "x"], { old: true }));
    expect(code).toBe(4);
    expect(JSON.parse(stdout)).toMatchObject({ argv: ["4", "x"] });
  });

  it("passes a signal on to the process that it started", async () => {
    const child = start(bundled, ["wait"], { old: true });
    const end = ended(child);
    if (child.stdout !== null) await once(child.stdout, "data");
    child.kill("SIGTERM");
    expect((await end).code).toBe(130);
  });

  it("takes the process that it started along when it is killed", async () => {
    const child = start(bundled, ["wait"], { old: true });
    const [said] = child.stdout === null ? [] : ((await once(child.stdout, "data")) as [Buffer]);
    expect(JSON.parse(String(said))).not.toMatchObject({ pid: child.pid });
    child.kill("SIGKILL");
    // Both hold the pipe, so it closes when both are gone.
    await once(child, "close");
  });
});
