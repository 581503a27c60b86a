import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, open, rename, rm, statfs } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { availableParallelism, freemem, totalmem } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import * as zlib from "node:zlib";
import { sqliteModule } from "../../sinks/sqlite-module.ts";
import { bytesText, counted } from "../counted.ts";
import { broken, type Check, type Finding, fine, limited } from "./check.ts";

const MEBIBYTE = 1024 * 1024;
/** Free space below which a run of any size, and of some size, is in danger. */
const SPACE_LEAST = 64 * MEBIBYTE;
const SPACE_SMALL = 2048 * MEBIBYTE;
/** Memory below which a run with proofs is in danger: a prover takes some 250 MB. */
const MEMORY_SMALL = 1024 * MEBIBYTE;
/** A sync that takes longer makes every step of a journal slow, in milliseconds. */
const SYNC_SLOW_MS = 50;
/** How long a program may take to say its version, and a connection to come about, in milliseconds. */
const ANSWER_MS = 5000;

/** Checks of the machine; those of disks are about `folder`. */
export function machineChecks(folder: string): Check[] {
  return [
    { name: "node", run: async () => nodeFinding() },
    { name: "memory", run: async () => memoryFinding() },
    { name: "disk", run: () => diskFinding(folder) },
    { name: "write", run: () => writeFinding(folder) },
    { name: "loopback", run: loopbackFinding },
    { name: "clang", run: clangFinding },
  ];
}

function nodeFinding(): Finding {
  const { version } = process;
  const missing = [
    ...(sqliteModule() === undefined ? ["SQLite outputs (22.13)"] : []),
    ...("zstdDecompressSync" in zlib ? [] : ["inputs in .zst (22.15)"]),
  ];
  if (missing.length === 0) return fine(`Node.js ${version}`);
  return limited(`Node.js ${version} has no ${missing.join(" and no ")}`, "install Node.js 24");
}

function memoryFinding(): Finding {
  const said = `${bytesText(totalmem())}, ${bytesText(freemem())} free, ${counted(availableParallelism(), "core")}`;
  if (totalmem() >= MEMORY_SMALL) return fine(said);
  return limited(said, "run without `prove`: a prover takes some 250 MB");
}

async function diskFinding(folder: string): Promise<Finding> {
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  const said = `${bytesText(free)} free at ${folder}`;
  if (free < SPACE_LEAST) return broken(said, "free some space, or work on another disk");
  return free < SPACE_SMALL ? limited(said, "journals and batches take about as much as the inputs") : fine(said);
}

/** What every commit of a journal does: write, sync, rename, sync the folder. */
async function writeFinding(folder: string): Promise<Finding> {
  const dir = await mkdtemp(join(folder, ".ipdm-doctor-"));
  try {
    const began = performance.now();
    await using file = await open(join(dir, "a"), "wx");
    await file.write(new Uint8Array(4096));
    await file.sync();
    await rename(join(dir, "a"), join(dir, "b"));
    await using parent = await open(dir, "r");
    await parent.sync();
    const ms = performance.now() - began;
    const said = `a file was written, synced and renamed in ${ms.toFixed(1)} ms`;
    return ms > SYNC_SLOW_MS ? limited(said, "a local disk makes journals faster than a network's") : fine(said);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

async function loopbackFinding(): Promise<Finding> {
  const server = createServer((socket) => socket.end("x"));
  try {
    server.listen(0, "127.0.0.1");
    await once(server, "listening", { signal: AbortSignal.timeout(ANSWER_MS) });
    const { port } = server.address() as { readonly port: number };
    const socket = connect(port, "127.0.0.1");
    await once(socket, "data", { signal: AbortSignal.timeout(ANSWER_MS) });
    socket.destroy();
    return fine("a connection over 127.0.0.1 came about");
  } finally {
    server.close();
  }
}

async function clangFinding(): Promise<Finding> {
  const hint = "only modules in C need it: install clang and lld";
  try {
    const { stdout } = await promisify(execFile)("clang", ["--print-targets"], { timeout: ANSWER_MS });
    return stdout.includes("wasm32")
      ? fine("clang is there and compiles to WebAssembly")
      : limited("this clang does not compile to WebAssembly", hint);
  } catch {
    return limited("clang is not there", hint);
  }
}
