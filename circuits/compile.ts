// SPDX-License-Identifier: Apache-2.0
// Starts the compiler as a process and imports none of the GPL-licensed packages, so that build steps and tests may use it.
import { execFile } from "node:child_process";
import { createHash, hash } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join, relative, resolve } from "node:path";
import { argv, execPath, stderr } from "node:process";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { IpdmError } from "../src/core/errors.ts";
import { CIRCUITS, type CircuitEntry, type KeyProvenance } from "./manifest.ts";

const run = promisify(execFile);
const require = createRequire(import.meta.url);

/** Options of circom that decide the constraints; they are part of {@link sourcesHash}. */
const COMPILE_OPTIONS = ["--O2", "--r1cs", "--wasm", "--sym"] as const;
const COMPILE_TIMEOUT_MS = 300_000;
const COMPILE_OUTPUT_MAX_BYTES = 4 * 1024 * 1024;

/** A compiled circuit. */
export interface CircuitBuild {
  readonly name: string;
  readonly wasmPath: string;
  readonly r1csPath: string;
  readonly symPath: string;
  /** SHA-256 of the constraint system, hexadecimal. */
  readonly r1cs: string;
  /** SHA-256 over sources, compiler version and options, hexadecimal. */
  readonly sources: string;
  /** False when an earlier build of the same sources was found and kept. */
  readonly compiled: boolean;
}

/**
 * Compiles every circuit of the manifest into `outDir` (`<name>.wasm`, `.r1cs`, `.sym`, and the stamp `<name>.build.json`)
 * and skips those whose stamp matches their sources. Each constraint system is compared with the one its keys were made
 * for: `CIRCUIT_KEY_MISMATCH`. A circuit that does not compile: `CIRCUIT_COMPILE_FAILED`, with the compiler's words.
 * `checkKeys: false` leaves the comparison out, for the command that makes keys; `circuits` are others than those of the manifest.
 */
export async function buildCircuits(
  outDir: string,
  options: {
    readonly circuits?: readonly CircuitEntry[];
    readonly checkKeys?: boolean;
    readonly signal?: AbortSignal;
  } = {},
): Promise<readonly CircuitBuild[]> {
  await mkdir(outDir, { recursive: true });
  const builds: CircuitBuild[] = [];
  for (const circuit of options.circuits ?? CIRCUITS) {
    const build = await buildCircuit(circuit, outDir, options.signal);
    if (options.checkKeys !== false) await checkKey(build);
    builds.push(build);
  }
  return builds;
}

/** The folder `circuits/` that holds this file. The build runs from source only, so sources and keys are its siblings. */
export const CIRCUITS_DIR: string = dirname(fileURLToPath(import.meta.url));

async function buildCircuit(
  circuit: CircuitEntry,
  outDir: string,
  signal: AbortSignal | undefined,
): Promise<CircuitBuild> {
  const sources = await sourcesHash();
  const { name } = circuit;
  const path = (ending: string): string => join(outDir, `${name}.${ending}`);
  const paths = { wasmPath: path("wasm"), r1csPath: path("r1cs"), symPath: path("sym") };
  const kept = await readStamp(path("build.json"));
  if (kept !== undefined && kept.sources === sources) {
    const hashes = await Promise.all([paths.wasmPath, paths.r1csPath, paths.symPath].map(fileHash));
    if (hashes.every((found, i) => found !== undefined && found === kept.outputs[i])) {
      return { name, ...paths, r1cs: kept.outputs[1] as string, sources, compiled: false };
    }
  }
  // Compiled beside the target, then renamed: a build that is killed leaves no half-written file behind.
  const scratch = await mkdtemp(join(outDir, ".circom-"));
  try {
    await compile(name, scratch, signal);
    await rename(join(scratch, `${name}_js`, `${name}.wasm`), paths.wasmPath);
    await rename(join(scratch, `${name}.r1cs`), paths.r1csPath);
    await rename(join(scratch, `${name}.sym`), paths.symPath);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
  const outputs = await Promise.all([paths.wasmPath, paths.r1csPath, paths.symPath].map(fileHash));
  await writeFile(path("build.json"), `${JSON.stringify({ sources, outputs })}\n`);
  return { name, ...paths, r1cs: outputs[1] as string, sources, compiled: true };
}

/** Runs the WebAssembly build of circom in a process of its own: it may end its process, and it is another licence. */
async function compile(name: string, outDir: string, signal: AbortSignal | undefined): Promise<void> {
  const root = dirname(CIRCUITS_DIR);
  // The compiler sees the file system below its working directory and that directory's parents, by relative paths.
  const modules = relative(root, resolve(dirname(require.resolve("circomlib/package.json")), ".."));
  const args = [
    require.resolve("circom2/cli.js"),
    relative(root, join(CIRCUITS_DIR, "src", `${name}.circom`)),
    ...COMPILE_OPTIONS,
    "-l",
    modules,
    "-o",
    relative(root, resolve(outDir)),
  ];
  try {
    await run(execPath, args, {
      cwd: root,
      timeout: COMPILE_TIMEOUT_MS,
      maxBuffer: COMPILE_OUTPUT_MAX_BYTES,
      ...(signal === undefined ? {} : { signal }),
    });
  } catch (cause) {
    signal?.throwIfAborted();
    const said = cause as { readonly stderr?: string; readonly stdout?: string };
    throw new IpdmError(
      "CIRCUIT_COMPILE_FAILED",
      `circuit ${name} does not compile: ${said.stderr ?? ""}${said.stdout ?? ""}`,
      {
        where: `circuits/src/${name}.circom`,
        cause,
      },
    );
  }
}

async function checkKey(build: CircuitBuild): Promise<void> {
  const path = join(CIRCUITS_DIR, "keys", `${build.name}.json`);
  const provenance = JSON.parse(await readFile(path, "utf8")) as KeyProvenance;
  if (provenance.r1cs === build.r1cs) return;
  throw new IpdmError(
    "CIRCUIT_KEY_MISMATCH",
    `the keys of ${build.name} were made for other constraints than its source gives`,
    {
      where: `circuits/keys/${build.name}.json`,
      hint: "make new keys with `node circuits/make-development-keys.ts`, or undo the change of the circuit",
      facts: { expected: provenance.r1cs, found: build.r1cs },
    },
  );
}

/** SHA-256 over compiler and library versions, options and all circuit sources by name: changes when a build could. */
async function sourcesHash(): Promise<string> {
  const sum = createHash("sha256");
  const versions = ["circom2", "circomlib"].map((name) => `${name}@${packageVersion(name)}`);
  sum.update(JSON.stringify([...versions, ...COMPILE_OPTIONS]));
  const dir = join(CIRCUITS_DIR, "src");
  for (const file of (await readdir(dir)).filter((name) => name.endsWith(".circom")).sort()) {
    const text = await readFile(join(dir, file));
    sum.update(JSON.stringify([file, text.length])).update(text);
  }
  return sum.digest("hex");
}

/** Version of an installed package. */
export function packageVersion(name: string): string {
  let dir = dirname(require.resolve(name));
  for (;;) {
    try {
      const found = require(join(dir, "package.json")) as { readonly name?: string; readonly version?: string };
      if (found.name === name && found.version !== undefined) return found.version;
    } catch {
      // No package.json here; look one folder up.
    }
    const next = dirname(dir);
    if (next === dir) throw new IpdmError("CIRCUIT_COMPILE_FAILED", `package ${name} is not installed`);
    dir = next;
  }
}

interface Stamp {
  readonly sources: string;
  readonly outputs: readonly string[];
}

async function readStamp(path: string): Promise<Stamp | undefined> {
  try {
    const stamp = JSON.parse(await readFile(path, "utf8")) as Stamp;
    return Array.isArray(stamp.outputs) ? stamp : undefined;
  } catch {
    return undefined;
  }
}

async function fileHash(path: string): Promise<string | undefined> {
  try {
    return hash("sha256", await readFile(path), "hex");
  } catch {
    return undefined;
  }
}

if (argv[1] !== undefined && import.meta.url === pathToFileURL(argv[1]).href) {
  const outDir = resolve(argv[2] ?? join(dirname(CIRCUITS_DIR), "dist", "circuits"));
  for (const build of await buildCircuits(outDir)) {
    stderr.write(`${build.name}: ${build.compiled ? "compiled" : "unchanged"}, r1cs ${build.r1cs.slice(0, 16)}…\n`);
  }
}
