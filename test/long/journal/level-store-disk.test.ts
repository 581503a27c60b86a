import { execFile, execFileSync } from "node:child_process";
import { mkdir, mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { assign, setup } from "xstate";
import { createRuntime } from "../../../src/runtime/runtime.ts";
import { openStore } from "../../integration/journal/damage.ts";
import { resumeWriters } from "../../integration/journal/resume-writers.ts";
import { randomFrom } from "../../integration/journal/seeded-store.ts";

const CHILD = join(import.meta.dirname, "../../integration/journal/sync-child.ts");

let path: string;
beforeEach(async () => {
  path = await mkdtemp(join(tmpdir(), "ipdm-failing-"));
});
afterEach(() => rm(path, { recursive: true, force: true }));

/** Numbers of events that a store gives back, in order. */
async function stored(folder: string): Promise<number[]> {
  await using store = await openStore(folder);
  const seqs: number[] = [];
  for await (const { entry } of store.entries("a")) seqs.push(entry.seq);
  return seqs;
}

describe("a sync that fails", () => {
  const canTrace = works("strace", ["-e", "trace=fdatasync", "true"]);

  for (const [errno, code] of [
    ["EIO", "JOURNAL_WRITE_FAILED"],
    ["ENOSPC", "DISK_FULL"],
  ] as const) {
    it(`stops the store by ${code}; what was acknowledged is there at the next start (${errno})`, async (context) => {
      if (!canTrace) return context.skip("needs strace, and a container that lets it trace");
      const inject = `inject=fdatasync:error=${errno}:when=20+`;
      // One thread, since the count of calls is each thread's own.
      const { stdout } = await promisify(execFile)(
        "strace",
        ["-f", "-qq", "-o", "/dev/null", "-e", "trace=fdatasync", "-e", inject, process.execPath, CHILD, path, "200"],
        { env: { ...process.env, UV_THREADPOOL_SIZE: "1" } },
      );
      const { acknowledged, codes } = JSON.parse(stdout) as { acknowledged: number; codes: string[] };
      expect(codes).toEqual([code, "JOURNAL_STOPPED"]);
      expect(acknowledged).toBeGreaterThan(3);
      const seqs = await stored(path);
      // The entry whose sync failed may have reached the disk all the same; nothing after it has.
      expect(seqs.length - acknowledged).toBeOneOf([0, 1]);
      expect(seqs).toEqual(seqs.map((_, at) => at + 1));
    });
  }
});

describe("a LevelDB that cannot write", () => {
  const canTrace = works("strace", ["-e", "trace=write", "true"]);

  it("stops the store, though nobody waits for it; what was acknowledged is in the log", async (context) => {
    if (!canTrace) return context.skip("needs strace, and a container that lets it trace");
    const log = join(await realpath(path), "index/000003.log");
    const inject = ["-P", log, "-e", "trace=write", "-e", "inject=write:error=EIO:when=5+"];
    const child = [process.execPath, CHILD, path, "6000"];
    const { stdout } = await promisify(execFile)("strace", ["-f", "-qq", "-o", "/dev/null", ...inject, ...child]);
    const { acknowledged, codes } = JSON.parse(stdout) as { acknowledged: number; codes: string[] };
    expect(codes).toEqual(["JOURNAL_WRITE_FAILED", "JOURNAL_STOPPED"]);
    expect(acknowledged).toBeGreaterThan(500);
    expect(await stored(path)).toEqual(Array.from({ length: acknowledged }, (_, at) => at + 1));
  });
});

describe("a disk that is full", () => {
  const canMount = process.getuid?.() === 0 && works("unshare", ["--mount", "true"]);

  it("refuses new entries, loses nothing, and takes them again when there is room", async (context) => {
    if (!canMount) return context.skip("needs a root that may mount a small disk");
    const disk = join(path, "disk");
    await mkdir(disk);
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=2m", "tmpfs", disk]);
    try {
      const folder = join(disk, "store");
      // Nothing that LevelDB could compress.
      const random = randomFrom(1);
      let acknowledged = 0;
      for (const size of ["8m", "64m"]) {
        const store = await openStore(folder);
        const [writer] = await resumeWriters(store, ["a"]);
        const codes: unknown[] = [];
        for (let at = 0; at < 300 && codes.length < 2; at++) {
          await store.append(writer?.next([Uint8Array.from({ length: 40_000 }, () => random() * 256)]) as never).then(
            () => (acknowledged += 1),
            (error: { code?: unknown }) => codes.push(error.code),
          );
        }
        await store.close();
        expect(codes).toEqual(["DISK_FULL", "JOURNAL_STOPPED"]);
        execFileSync("mount", ["-o", `remount,size=${size}`, disk]);
        const seqs = await stored(folder);
        expect(seqs.length).toBeGreaterThanOrEqual(acknowledged);
        acknowledged = seqs.length;
      }
    } finally {
      execFileSync("umount", [disk]);
    }
  });

  it("is waited for by a runtime, which goes on by itself", async (context) => {
    if (!canMount) return context.skip("needs a root that may mount a small disk");
    const disk = join(path, "runtime");
    await mkdir(disk);
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=8m", "tmpfs", disk]);
    try {
      const random = randomFrom(2);
      const text = (): string => Buffer.from(Uint8Array.from({ length: 20_000 }, () => random() * 256)).toString("hex");
      const acknowledged: number[] = [];
      const codes: unknown[] = [];
      await using runtime = await createRuntime({ dir: join(disk, "dir"), machines: [counted] });
      const actor = await runtime.spawn(counted, { id: "a" });
      const send = async (n: number): Promise<boolean> =>
        await actor.send({ type: "n", n, text: text() }).then(
          () => acknowledged.push(n) > 0,
          (error: { code?: unknown }) => codes.push(error.code) < 0,
        );
      let n = 0;
      while (codes.length < 20) await send((n += 1));
      expect(new Set(codes)).toEqual(new Set(["DISK_FULL"]));
      execFileSync("mount", ["-o", "remount,size=96m", disk]);
      await vi.waitFor(async () => expect(await send((n += 1))).toBe(true), { timeout: 20_000, interval: 200 });
      for (let more = 0; more < 20; more++) expect(await send((n += 1))).toBe(true);
      const { numbers } = (await actor.snapshot()).context;
      expect(acknowledged.filter((each) => !numbers.includes(each))).toEqual([]);
      expect(new Set(numbers).size).toBe(numbers.length);
    } finally {
      execFileSync("umount", [disk]);
    }
  });
});

const counted = setup({
  types: {
    context: {} as { readonly numbers: readonly number[] },
    events: {} as { readonly type: "n"; readonly n: number; readonly text: string },
  },
}).createMachine({
  id: "counted",
  context: { numbers: [] },
  on: { n: { actions: assign({ numbers: ({ context, event }) => [...context.numbers, event.n] }) } },
});

function works(program: string, args: readonly string[]): boolean {
  try {
    execFileSync(program, args, { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
