import { readFile } from "node:fs/promises";
import { BUILT_IN_MODULES, builtInModule, builtInReference, isBuiltIn } from "../../config/built-in-module.ts";
import { IpdmError } from "../../core/errors.ts";
import { rawBlock } from "../../dag/block.ts";
import { sha256 } from "../../node.ts";
import type { SandboxPolicy } from "../../sandbox/policy.ts";
import type { Terminal } from "../terminal.ts";

/** A module that comes with the runtime, as the command line shows it. */
interface ShownBuiltIn {
  readonly name: string;
  readonly module: string;
  readonly bytes: number;
  readonly abi: string;
  readonly description: string;
  readonly policy: SandboxPolicy;
}

/** Lists the modules that come with the runtime. */
export async function listBuiltIns(terminal: Terminal): Promise<void> {
  for (const { name } of BUILT_IN_MODULES) {
    const { module, description } = await lookAt(builtInReference(name));
    if (terminal.options.json) terminal.json({ event: "built-in", name: builtInReference(name), module, description });
    else terminal.print(`${builtInReference(name).padEnd(28)} ${module}  comes with the runtime`);
  }
}

/** Shows one of them, by `ipdm:<name>`; false where the text names no such module at all. Throws `MODULE_UNKNOWN`. */
export async function showBuiltIn(reference: string, terminal: Terminal): Promise<boolean> {
  if (!isBuiltIn(reference)) return false;
  const { name, module, bytes, abi, description, policy } = await lookAt(reference);
  const { capabilities, ...limits } = policy;
  if (terminal.options.json) {
    terminal.json({ event: "shown", ok: true, name, module, bytes, abi, description, limits, capabilities });
    return true;
  }
  terminal.print(`${name}: ${description}`);
  terminal.print(`module        ${module}, ${bytes} bytes, comes with the runtime`);
  terminal.print(`called by     ${abi}, kind rows`);
  terminal.print(`fuel          ${limits.fuelPerCall} a call and ${limits.fuelPerRow} a row`);
  terminal.print(
    `memory        ${limits.memoryBytesMax} bytes; stack ${limits.stackValuesMax} values; output ${limits.outputBytesMax} bytes`,
  );
  return true;
}

async function lookAt(reference: string): Promise<ShownBuiltIn> {
  const module = builtInModule(reference);
  const known = BUILT_IN_MODULES.find(({ name }) => builtInReference(name) === reference);
  if (module === undefined || known === undefined)
    throw new IpdmError(
      "MODULE_UNKNOWN",
      `no module ${JSON.stringify(reference.slice(0, 64))} comes with the runtime`,
      {
        kind: "config",
        hint: `there are ${BUILT_IN_MODULES.map(({ name }) => builtInReference(name)).join(", ")}`,
      },
    );
  const bytes = new Uint8Array(await readFile(module.file.path));
  const { cid } = rawBlock(sha256, bytes);
  const { abi, policy } = module;
  return { name: reference, module: cid.toString(), bytes: bytes.length, abi, description: known.description, policy };
}
