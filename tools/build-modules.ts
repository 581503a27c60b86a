import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** A module compiled from AssemblyScript; paths are relative to the root. */
export interface BuiltModule {
  readonly source: string;
  readonly output: string;
  readonly sizeBytes: number;
}

interface Recipe {
  readonly source: string;
  readonly output: string;
  readonly flags?: readonly string[];
}

/** Modules that the build makes: entry file and output. */
const MODULES: readonly Recipe[] = [
  { source: "examples/flights/module/late.ts", output: "examples/flights/late.wasm" },
  { source: "examples/stateful/module/ledger.ts", output: "examples/stateful/ledger.wasm" },
  // Those that come with the runtime begin with as much memory as a batch of usual blocks, or of their logs, needs: growing costs more, and
  // each page is looked through behind each call.
  ...Object.entries({ ethereum: 128, "ethereum-events": 64, solana: 128 }).map(([name, pages]) => ({
    source: `src/modules/${name}/index.ts`,
    output: `dist/src/modules/${name}.wasm`,
    flags: ["--enable", "simd", "--initialMemory", String(pages)],
  })),
  {
    source: "src/modules/json-brackets/index.ts",
    output: "dist/src/modules/json-brackets.wasm",
    flags: ["--enable", "simd"],
  },
  {
    source: "src/modules/window-kernels/index.ts",
    output: "dist/src/modules/window-kernels.wasm",
    // Shared, since views over such a memory stay valid when it grows.
    flags: [
      ...["--enable", "simd", "--enable", "threads", "--sharedMemory"],
      ...["--initialMemory", "1", "--maximumMemory", "65536"],
    ],
  },
  ...["filter", "map", "flat-map", "aggregate", "stateful"].map((name) => ({
    source: `examples/modules/${name}/module/index.ts`,
    output: `examples/modules/${name}/build/module.wasm`,
  })),
];

/** Compiles every module of the repository, or those whose source is wanted. Equal sources and compiler give equal bytes. Throws with the compiler's words. */
export async function buildModules(
  root: string,
  wanted: (source: string) => boolean = () => true,
): Promise<BuiltModule[]> {
  const built: BuiltModule[] = [];
  for (const { source, output, flags } of MODULES.filter((module) => wanted(module.source))) {
    const bytes = await compileModule(root, source, {}, flags);
    await mkdir(dirname(join(root, output)), { recursive: true });
    await writeFile(join(root, output), bytes);
    built.push({ source, output, sizeBytes: bytes.length });
  }
  return built;
}

/** Compiles one AssemblyScript file; it and its imports are read from below the root, or from the texts given by path. */
export async function compileModule(
  root: string,
  source: string,
  texts: Readonly<Record<string, string>> = {},
  flags: readonly string[] = [],
): Promise<Uint8Array> {
  // Loaded here since it is large, and only a build needs it.
  const { default: asc } = await import("assemblyscript/asc");
  let binary: Uint8Array | undefined;
  const { error, stderr } = await asc.main(
    // Nothing of the runtime: the SDK allocates for itself, so that no start function is needed.
    [
      source,
      "--outFile",
      "module.wasm",
      "--baseDir",
      root,
      "-O3",
      "--runtime",
      "stub",
      "--enable",
      "bulk-memory",
      ...flags,
    ],
    {
      readFile: async (name, base) => texts[name] ?? (await readFile(join(base, name), "utf8").catch(() => null)),
      writeFile: (_name, contents) => {
        if (typeof contents !== "string") binary = Uint8Array.from(contents);
      },
      listFiles: () => [],
    },
  );
  if (error !== null || binary === undefined)
    throw new Error(`${source} does not compile:\n${stderr.toString()}`, { cause: error });
  return binary;
}

if (import.meta.main) {
  for (const { output, sizeBytes } of await buildModules(dirname(dirname(fileURLToPath(import.meta.url))))) {
    process.stderr.write(`${output}: ${sizeBytes} bytes\n`);
  }
}
