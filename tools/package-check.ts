import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { ROOT } from "./steps.ts";

const run = promisify(execFile);

/** Largest packed package, in bytes. */
const PACKED_BYTES_MAX = 25 * 1024 * 1024;

/** What `npm pack --json` says of a package. */
interface Packed {
  readonly filename: string;
  readonly size: number;
  readonly files: readonly { readonly path: string }[];
}

/** Packs the package as it stands (built) and checks it: what publint finds, its size, files that are missing or do not belong. */
export async function packageComplaints(): Promise<readonly string[]> {
  const dir = await mkdtemp(join(tmpdir(), "ipdm-pack-"));
  try {
    const { stdout } = await run("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", dir], {
      cwd: ROOT,
      maxBuffer: 64 * 1024 * 1024,
    });
    const packed = firstPacked(JSON.parse(stdout));
    const paths = new Set(packed.files.map((file) => file.path));
    const complaints: string[] = [];
    for (const path of NEEDED) if (!paths.has(path)) complaints.push(`the package lacks ${path}`);
    for (const path of paths) if (UNWANTED.test(path)) complaints.push(`the package carries ${path}`);
    if (packed.size > PACKED_BYTES_MAX)
      complaints.push(`the package has ${packed.size} bytes, more than ${PACKED_BYTES_MAX}`);
    const { messages, pkg } = await publint({ pkgDir: ROOT, level: "warning", strict: true, pack: "npm" });
    for (const message of messages) complaints.push(formatMessage(message, pkg, { color: false }) ?? message.code);
    return complaints;
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

const NEEDED = [
  "bin/ipdm-runtime.js",
  "bin/package.json",
  "dist/src/cli/main.js",
  "docs/reference/errors.md",
  "dist/src/index.js",
  "dist/src/index.d.ts",
  "dist/circuits/window-128x32.wasm",
  "circuits/keys/window-128x32.zkey",
  "circuits/keys/window-128x32.vkey.json",
  "dist/circuits/window-64x64.wasm",
  "circuits/keys/window-64x64.zkey",
  "circuits/keys/window-64x64.vkey.json",
  "examples/flights/ipdm.yaml",
  "examples/flights/late.wasm",
  "examples/stateful/ipdm.yaml",
  "examples/stateful/ledger.wasm",
  "examples/stateful/payments.csv",
  "schemas/ipdm.schema.json",
  "LICENSE",
  "LICENSES/GPL-3.0-or-later.txt",
  "README.md",
];
const UNWANTED =
  /(^|\/)(test|node_modules|bench|tools)\/|^docs\/(?!reference\/)|\.test\.|\.sym$|\.tsbuildinfo$|\.env|^examples\/.*\/(out|\.ipdm)\//;

/** npm lists packages as an array, or by name, depending on its version. */
function firstPacked(listed: unknown): Packed {
  const all = Array.isArray(listed) ? listed : Object.values(listed as Record<string, unknown>);
  return all[0] as Packed;
}
