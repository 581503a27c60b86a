import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { POLICIES, type SandboxPolicy } from "../sandbox/policy.ts";
import type { ModuleConfig } from "./config.ts";

/** A module that comes with the runtime. */
export interface BuiltInModule {
  readonly name: string;
  /** What it does, in a sentence. */
  readonly description: string;
}

/** The modules that come with the runtime; a task names one as `ipdm:<name>`. */
export const BUILT_IN_MODULES: readonly BuiltInModule[] = [
  { name: "ethereum", description: "checks blocks of an Ethereum chain against their hash and makes tables of them" },
  { name: "ethereum-events", description: "decodes a table of logs by the contract ABI" },
  { name: "solana", description: "tables of Solana's blocks, their signatures and parents checked" },
];

const PREFIX = "ipdm:";
const FROM_SOURCE = import.meta.url.endsWith(".ts");
/** This file is `<root>/src/config/…` as source, `<root>/dist/src/config/…` as build; the build compiles modules to `dist/src/modules`. */
const FOLDER = fileURLToPath(new URL(FROM_SOURCE ? "../../dist/src/modules/" : "../modules/", import.meta.url));

/** They are ours, and a row may be a whole block of a chain: what they may use is bounded by a row's size, and far above their need. */
const POLICY: SandboxPolicy = {
  ...POLICIES.trusted,
  fuelPerCall: 2e10,
  fuelPerRow: 1e8,
  memoryBytesMax: 1024 * 1024 * 1024,
  outputBytesMax: 64 * 1024 * 1024,
  // What is told of a run beside its result, such as what could not be checked.
  capabilities: ["log"],
};
const TIMEOUT_US = 60_000_000;

/** True for a text that means a module that comes with the runtime: a name in a configuration has no `:`. */
export function isBuiltIn(text: string): boolean {
  return text.startsWith(PREFIX);
}

/** What a task calls such a module. */
export function builtInReference(name: string): string {
  return `${PREFIX}${name}`;
}

/** A module that comes with the runtime, by its reference, as if a configuration had declared it; `undefined` where there is none. */
export function builtInModule(reference: string): ModuleConfig | undefined {
  const known = BUILT_IN_MODULES.find(({ name }) => builtInReference(name) === reference);
  if (known === undefined) return undefined;
  return {
    name: reference,
    file: { written: reference, path: join(FOLDER, `${known.name}.wasm`) },
    abi: "ipdm/1",
    unit: null,
    stateful: false,
    columns: null,
    policy: POLICY,
    timeoutUs: TIMEOUT_US,
    isolation: "thread",
  };
}
