import type { AnyStateMachine } from "xstate";
import { IpdmError } from "../core/errors.ts";
import type { Hash } from "../core/ports.ts";
import { type DurableMachine, durable } from "./durable-machine.ts";
import { Machine, type MachineSpec, sameMachine } from "./machine.ts";

/** The machines that a runtime knows, with those of their children. */
export class MachineRegistry {
  readonly #hash: Hash;
  readonly #specs: MachineSpec[] = [];
  readonly #machines = new Map<string, Machine>();
  readonly #durable = new WeakMap<AnyStateMachine, DurableMachine>();

  constructor(hash: Hash) {
    this.#hash = hash;
  }

  /** All of them; grows as machines are registered. */
  get specs(): readonly MachineSpec[] {
    return this.#specs;
  }

  /**
   * Registers a machine, and those of its children. Throws `MACHINE_UNSUPPORTED` for what could not survive a restart, `MACHINE_CONFLICT` where
   * another machine has its name and version.
   */
  add(given: DurableMachine | AnyStateMachine): MachineSpec {
    const { spec, machine } = "spec" in given ? given : this.#wrapped(given);
    this.#durable.set(machine, { spec, machine });
    this.#register(spec);
    return spec;
  }

  #wrapped(machine: AnyStateMachine): DurableMachine {
    return this.#durable.get(machine) ?? durable(machine);
  }

  #register(spec: MachineSpec): void {
    const key = `${spec.name}@${spec.version}`;
    const known = this.#machines.get(key);
    if (known?.spec === spec) return;
    const machine = new Machine(this.#hash, spec);
    if (known !== undefined) {
      if (sameMachine(known.identity, machine.identity) && known.spec.machine === spec.machine) return;
      throw new IpdmError("MACHINE_CONFLICT", `two machines are called ${key}`, {
        kind: "conflict",
        where: key,
        hint: "give the newer one another version, or one of them another name",
      });
    }
    this.#machines.set(key, machine);
    this.#specs.push(spec);
    for (const child of Object.values(spec.children ?? {})) this.#register(child);
  }
}
