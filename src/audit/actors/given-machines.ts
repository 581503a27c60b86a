import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { MACHINES } from "../../../machines/registry.ts";
import { IpdmError } from "../../core/errors.ts";
import { sha256 } from "../../node.ts";
import type { DurableMachine } from "../../runtime/durable-machine.ts";
import type { MachineSpec } from "../../runtime/machine.ts";
import { MachineRegistry } from "../../runtime/machine-registry.ts";

/**
 * The machines that journals may be of: this package's own, and those that a JavaScript or TypeScript module exports, each made by `durable()`
 * or an array of such. The module's code runs. Throws `MACHINES_UNREADABLE`, and as registering them does.
 */
export async function givenMachines(path: string | undefined): Promise<readonly MachineSpec[]> {
  const registry = new MachineRegistry(sha256);
  if (path !== undefined) for (const machine of await exported(path)) registry.add(machine);
  return [...registry.specs, ...MACHINES];
}

async function exported(path: string): Promise<readonly DurableMachine[]> {
  const full = resolve(path);
  let found: object;
  try {
    await stat(full);
    found = (await import(pathToFileURL(full).href)) as object;
  } catch (cause) {
    throw unreadable(path, `cannot be loaded: ${cause instanceof Error ? cause.message : String(cause)}`, cause);
  }
  const machines = Object.values(found).flat().filter(isDurable);
  if (machines.length === 0) throw unreadable(path, "exports no machine");
  return machines;
}

function isDurable(value: unknown): value is DurableMachine {
  return typeof value === "object" && value !== null && "spec" in value && "machine" in value;
}

function unreadable(path: string, what: string, cause?: unknown): IpdmError {
  return new IpdmError("MACHINES_UNREADABLE", `the module ${path} ${what}`, {
    kind: "usage",
    where: path,
    hint: "give a .js or .ts file that exports what durable() returns",
    cause,
  });
}
