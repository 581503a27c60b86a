// `npm run build`, and `prepare` after `npm ci`: everything in dist/ and schemas/ that does not stand in the repository.
// The steps are processes of their own, two at a time: each may take a core, and circom may end its process.
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { copyFile, mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { dirname, extname, join, relative } from "node:path";
import { argv, env, stderr } from "node:process";
import { type Ran, ROOT, report, runSteps, type Step } from "./steps.ts";

const DIST = join(ROOT, "dist");
/** The trees that tsconfig.build.json compiles. */
const TREES = ["src", "actors", "machines", "proofs", "circuits"];
/** Folders that are other languages' sources: they go along as they are, `.ts` files included. */
const FOREIGN = [join("src", "sandbox", "sdk")];
/** Sources of the modules that come with the runtime: they are built, and stay behind. */
const MODULES = join("src", "modules");

// The slowest first.
const STEPS: Readonly<Record<string, () => Promise<unknown>>> = {
  circuits: async () => (await import("../circuits/compile.ts")).buildCircuits(join(DIST, "circuits")),
  modules: buildChangedModules,
  assets: copyAssets,
};

const only = argv[2] === "--step" ? argv[3] : undefined;
// The first `npx ipdm-runtime` in a checkout links the package, which runs `prepare` once more: what is built stays as it is.
const linked = env["npm_command"] === "exec" && existsSync(join(DIST, "src", "cli", "main.js"));
if (linked) {
  stderr.write("built before\n");
} else if (only === undefined) {
  process.exitCode = await buildAll();
} else {
  await STEPS[only]?.();
}

async function buildAll(): Promise<number> {
  const start = performance.now();
  await mkdir(DIST, { recursive: true });
  const own = (name: string): Step => ({ name, command: ["node", join("tools", "build.ts"), "--step", name] });
  const steps: readonly Step[] = [
    own("circuits"),
    own("modules"),
    { name: "types", command: ["tsc", "-p", "tsconfig.build.json"] },
    { name: "schema", command: ["node", join("tools", "emit-schema.ts")] },
    own("assets"),
  ];
  const results = await runSteps(steps, (ran: Ran) => stderr.write(report(ran)));
  await removeStale(DIST);
  const failed = results.filter((ran) => !ran.ok);
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  stderr.write(
    failed.length === 0 ? `built in ${seconds} s\n` : `build failed: ${failed.map((ran) => ran.name).join(", ")}\n`,
  );
  return failed.length === 0 ? 0 : 1;
}

/** Compiles the WASM modules unless their sources, the compiler and the outputs are those of the last time. */
async function buildChangedModules(): Promise<void> {
  const stamp = join(DIST, ".modules.json");
  const sources = await fingerprint(
    [join("src", "sandbox", "sdk"), MODULES, join("examples"), join("tools", "build-modules.ts")],
    (path) => path.endsWith(".ts"),
  );
  const kept = await readFile(stamp, "utf8").catch(() => "");
  if (kept !== "") {
    const last = JSON.parse(kept) as {
      readonly sources: string;
      readonly outputs: readonly string[];
      readonly bytes: string;
    };
    if (last.sources === sources && last.bytes === (await fingerprint(last.outputs, () => true))) return;
  }
  const { buildModules } = await import("./build-modules.ts");
  const outputs = (await buildModules(ROOT)).map((built) => built.output);
  await writeFile(stamp, JSON.stringify({ sources, outputs, bytes: await fingerprint(outputs, () => true) }));
}

/** One hash over the lock file and the named files and folders, by path and content; what is missing counts as empty. */
async function fingerprint(paths: readonly string[], wanted: (path: string) => boolean): Promise<string> {
  const sum = createHash("sha256").update(await readFile(join(ROOT, "package-lock.json")));
  for (const path of paths) {
    const inside = await readdir(join(ROOT, path), { recursive: true }).catch(() => [""]);
    for (const file of inside
      .map((name) => join(path, name))
      .filter(wanted)
      .sort()) {
      const bytes = await readFile(join(ROOT, file)).catch(() => new Uint8Array(0));
      sum.update(JSON.stringify([file, bytes.length])).update(bytes);
    }
  }
  return sum.digest("hex");
}

/** Copies what the compiler leaves: files of the trees that are not TypeScript. Circuits and their keys are found from the package's root. */
async function copyAssets(): Promise<void> {
  for (const tree of TREES) {
    if (tree === "circuits" || !existsSync(join(ROOT, tree))) continue;
    for (const entry of await readdir(join(ROOT, tree), { recursive: true, withFileTypes: true })) {
      const path = relative(ROOT, join(entry.parentPath, entry.name));
      if (path.startsWith(MODULES)) continue;
      if (!entry.isFile() || (extname(path) === ".ts" && !isForeign(path))) continue;
      const to = join(DIST, path);
      await mkdir(dirname(to), { recursive: true });
      await copyFile(join(ROOT, path), to);
    }
  }
}

/** Removes compiled files whose source is gone: they would be packed. */
async function removeStale(dir: string): Promise<void> {
  for (const entry of await readdir(dir, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const name = relative(dir, path).replace(/\.(d\.ts|js)$/, "");
    if (!entry.isFile() || !/\.(d\.ts|js)$/.test(path) || isForeign(name)) continue;
    const sources = [".ts", ".d.ts", ".js"].map((ending) => join(ROOT, name + ending));
    const found = await Promise.all(sources.map((source) => stat(source).catch(() => undefined)));
    if (found.every((each) => each === undefined)) await rm(path);
  }
}

function isForeign(path: string): boolean {
  return FOREIGN.some((folder) => path.startsWith(folder));
}
