import { readdir, readFile } from "node:fs/promises";
import { builtinModules } from "node:module";
import { join, posix, relative, sep } from "node:path";
import { type ImportStatement, importStatements } from "./import-statements.ts";

/** The folders (and single files) of the runtime, innermost first: each imports only from itself and from those before it. */
export const LAYERS = [
  "src/core",
  "src/dag",
  "src/batch",
  "src/consensus",
  "machines",
  "src/streams",
  "src/sandbox",
  "src/journal",
  "circuits",
  "proofs",
  "src/network",
  "src/lake",
  "src/runtime",
  "actors",
  "src/sources",
  "src/sinks",
  "src/config",
  "src/plan",
  "src/node.ts",
  "src/registry",
  "src/run",
  "src/audit",
  "src/gateway",
  "src/cli",
  "src/index.ts",
] as const;

/** Folders that see no Node API. */
const PURE: readonly string[] = ["src/core", "src/dag", "src/batch", "src/consensus", "machines"];
/** Packages under the GPL: only files in circuits/ name them, and those run as processes of their own. */
const GPL: readonly string[] = ["snarkjs", "circom2", "circomlib", "circomlibjs", "ffjavascript"];
/** Other languages' sources, which end in .ts all the same. */
const FOREIGN = /^src\/(sandbox\/sdk|modules)\/|^examples\/.*\/module\//;
/** Trees that stand outside the layers: they may import any layer. */
const OUTSIDE = ["test", "bench", "tools", "examples"];
const BUILTIN = new Set(builtinModules);

/** The text of each file by its path from the root, with `/`. */
export type Tree = ReadonlyMap<string, string>;

/** Reads every TypeScript file of the trees that have directions to keep. */
export async function readTree(root: string): Promise<Tree> {
  const tree = new Map<string, string>();
  for (const top of ["src", "actors", "machines", "proofs", "circuits", ...OUTSIDE]) {
    const entries = await readdir(join(root, top), { recursive: true, withFileTypes: true }).catch(() => []);
    for (const entry of entries) {
      const path = relative(root, join(entry.parentPath, entry.name)).split(sep).join("/");
      if (!entry.isFile() || !path.endsWith(".ts") || FOREIGN.test(path) || path.includes("node_modules/")) continue;
      tree.set(path, await readFile(join(root, path), "utf8"));
    }
  }
  return tree;
}

/** Every import that goes the wrong way, one sentence each, by file and line. */
export function directionComplaints(tree: Tree): readonly string[] {
  const imports = new Map([...tree].map(([path, text]) => [path, importStatements(text)]));
  const tainted = reachesGpl(imports);
  const complaints: string[] = [];
  for (const [path, statements] of imports) {
    for (const statement of statements) {
      const complaint = complaintOf(path, statement, tree, tainted);
      if (complaint !== undefined) complaints.push(`${path}:${statement.line}: ${complaint}`);
    }
    if (path.startsWith("src/") && layerOf(path) < 0) complaints.push(`${path}:1: is in no folder of the layout`);
  }
  return complaints.sort();
}

function complaintOf(
  path: string,
  statement: ImportStatement,
  tree: Tree,
  tainted: ReadonlySet<string>,
): string | undefined {
  const { specifier, kind } = statement;
  const layer = layerOf(path);
  const target = targetOf(path, specifier);
  if (target === undefined) return packageComplaint(path, layer, statement);
  if (layer < 0) return undefined;
  if (kind !== "path" && !tree.has(target) && !FOREIGN.test(target)) return `${specifier} is no file of this tree`;
  const targetLayer = layerOf(target);
  if (targetLayer < 0)
    return OUTSIDE.some((top) => target.startsWith(`${top}/`)) || target.startsWith("src/")
      ? `${folderOf(layer)} may not import ${target}`
      : undefined;
  if (targetLayer > layer) return `${folderOf(layer)} may not import from ${folderOf(targetLayer)} (${specifier})`;
  if (folderOf(layer) !== "circuits" && tainted.has(target) && (kind === "static" || kind === "dynamic")) {
    return `${specifier} brings a GPL package into this process; start it as a process of its own`;
  }
  return undefined;
}

function packageComplaint(path: string, layer: number, { specifier, kind }: ImportStatement): string | undefined {
  const name = packageOf(specifier);
  // A test may start the compiler of circuits as a program; it may not load it.
  const started = kind === "path" && path.startsWith("test/");
  if (GPL.includes(name) && !path.startsWith("circuits/") && !started) {
    return `${name} is under the GPL and belongs to circuits/ alone`;
  }
  const folder = folderOf(layer);
  if (PURE.includes(folder) && (specifier.startsWith("node:") || BUILTIN.has(name)))
    return `${folder} is pure and may not import ${specifier}`;
  return undefined;
}

/** The files of circuits/ that load a GPL package when they are loaded themselves. */
function reachesGpl(imports: ReadonlyMap<string, readonly ImportStatement[]>): ReadonlySet<string> {
  const tainted = new Set<string>();
  for (let before = -1; before !== tainted.size; ) {
    before = tainted.size;
    for (const [path, statements] of imports) {
      if (!path.startsWith("circuits/")) continue;
      const loaded = statements.filter(({ kind }) => kind === "static" || kind === "dynamic");
      const loads = loaded.some(
        ({ specifier }) => GPL.includes(packageOf(specifier)) || tainted.has(targetOf(path, specifier) ?? ""),
      );
      if (loads) tainted.add(path);
    }
  }
  return tainted;
}

/** The file that a relative specifier names, from the root; `undefined` for a package. */
function targetOf(path: string, specifier: string): string | undefined {
  return specifier.startsWith(".") ? posix.normalize(posix.join(posix.dirname(path), specifier)) : undefined;
}

function packageOf(specifier: string): string {
  const parts = specifier.split("/");
  return specifier.startsWith("@") ? parts.slice(0, 2).join("/") : (parts[0] ?? specifier);
}

function layerOf(path: string): number {
  return LAYERS.findIndex((layer) => path === layer || path.startsWith(`${layer}/`));
}

function folderOf(layer: number): string {
  return LAYERS[layer] ?? "";
}
