import { IpdmError } from "../core/errors.ts";
import { BUILT_IN_MODULES, builtInReference, isBuiltIn } from "./built-in-module.ts";
import { rejectedOf } from "./chain-task.ts";
import { inputNames } from "./graph.ts";
import { isReference, readReference } from "./module-reference.ts";
import { nearest } from "./nearest.ts";
import type { ConfigPath, Finding } from "./problem.ts";
import type { WrittenConfig } from "./schema.ts";

const LATE = ".late";
const LATE_RIGHT = ".late-right";

/** An output's input: a task or source, or the late rows of a task. */
export function readInput(input: string): { readonly name: string; readonly side: "main" | "late" | "late-right" } {
  if (input.endsWith(LATE_RIGHT)) return { name: input.slice(0, -LATE_RIGHT.length), side: "late-right" };
  return input.endsWith(LATE) ? { name: input.slice(0, -LATE.length), side: "late" } : { name: input, side: "main" };
}

/** Checks that every name that is used is declared, once; what is declared and never used is a warning. */
export function checkNames(config: WrittenConfig): {
  readonly findings: readonly Finding[];
  readonly warnings: readonly Finding[];
} {
  const sources = Object.keys(config.sources);
  const tasks = Object.entries(config.tasks ?? {});
  const modules = Object.keys(config.modules ?? {});
  const inputs = [...sources, ...tasks.map(([name]) => name)];
  const findings: Finding[] = [];
  if (sources.length === 0)
    findings.push(found(["sources"], "sources is empty: a pipeline needs at least one", undefined, true));
  if (Object.keys(config.outputs).length === 0)
    findings.push(found(["outputs"], "outputs is empty: nothing would come out", undefined, true));
  for (const [name, task] of tasks) {
    const path = ["tasks", name];
    if (sources.includes(name))
      findings.push(found(path, `${name} is the name of a source and of a task`, "rename one of the two", true));
    findings.push(...checkInputs(name, task.input, inputs));
    if (task.module !== undefined && isBuiltIn(task.module)) {
      findings.push(...checkBuiltIn([...path, "module"], task.module));
    } else if (task.module !== undefined && isReference(task.module)) {
      findings.push(...checkReference([...path, "module"], task.module));
    } else if (task.module !== undefined && !modules.includes(task.module)) {
      findings.push(
        found(
          [...path, "module"],
          `tasks.${name}.module: there is no module ${quoted(task.module)}`,
          meant(task.module, modules),
        ),
      );
    }
  }
  for (const [name, output] of Object.entries(config.outputs))
    findings.push(...checkOutput(config, name, output.input, inputs));
  return { findings, warnings: unused(config) };
}

function checkInputs(task: string, input: string | readonly string[], known: readonly string[]): Finding[] {
  const path = ["tasks", task, "input"];
  const each =
    typeof input === "string" ? [[path, input] as const] : input.map((name, i) => [[...path, i], name] as const);
  return each.flatMap(([place, name], i): Finding[] => {
    if (readInput(name).side !== "main" && known.includes(readInput(name).name))
      return [found(place, `tasks.${task}.input: late rows can be an output, not the input of a task`)];
    if (!known.includes(name))
      return [found(place, `tasks.${task}.input: there is no source or task ${quoted(name)}`, meant(name, known))];
    if (each.findIndex(([, other]) => other === name) === i) return [];
    return [found(place, `tasks.${task}.input names ${name} twice`, "put a task between, which gives it another name")];
  });
}

function checkOutput(config: WrittenConfig, name: string, input: string, inputs: readonly string[]): Finding[] {
  const path = ["outputs", name, "input"];
  const rejected = rejectedOf(input);
  if (rejected !== undefined && Object.hasOwn(config.tasks ?? {}, rejected)) {
    if (config.tasks?.[rejected]?.events !== undefined) return [];
    const message = `outputs.${name}.input: ${rejected} rejects nothing, only a task with events does`;
    return [found(path, message, `write ${rejected}`)];
  }
  const read = readInput(input);
  if (!inputs.includes(read.name))
    return [
      found(path, `outputs.${name}.input: there is no source or task ${quoted(read.name)}`, meant(read.name, inputs)),
    ];
  if (read.side === "main") return [];
  const tasks = config.tasks ?? {};
  const task = Object.hasOwn(tasks, read.name) ? tasks[read.name] : undefined;
  if (task?.join !== undefined || (read.side === "late" && task?.window !== undefined)) return [];
  const who = read.side === "late" ? "a task with window has" : "a task with join has those of a right input";
  return [found(path, `outputs.${name}.input: ${read.name} has no late rows, only ${who}`, `write ${read.name}`)];
}

function unused(config: WrittenConfig): Finding[] {
  const tasks = new Map(Object.entries(config.tasks ?? {}));
  const reached = new Set<string>();
  for (const output of Object.values(config.outputs)) {
    const open = [rejectedOf(output.input) ?? readInput(output.input).name];
    for (let name = open.pop(); name !== undefined; name = open.pop()) {
      if (reached.has(name)) continue;
      reached.add(name);
      const task = tasks.get(name);
      if (task !== undefined) open.push(...inputNames(task));
    }
  }
  const modules = new Set([...tasks.values()].map((task) => task.module));
  const warn = (kind: string, names: Iterable<string>, used: ReadonlySet<string | undefined>, why: string): Finding[] =>
    [...names]
      .filter((name) => !used.has(name))
      .map((name) => found([kind, name], `${kind}.${name} ${why}`, "remove it, or use it", true));
  return [
    ...warn("sources", Object.keys(config.sources), reached, "leads to no output"),
    ...warn("tasks", tasks.keys(), reached, "leads to no output"),
    ...warn("modules", Object.keys(config.modules ?? {}), modules, "is used by no task"),
  ];
}

function found(path: ConfigPath, message: string, hint?: string, atKey = false): Finding {
  return { path, atKey, message, ...(hint === undefined ? {} : { hint }) };
}

/** A module of a catalogue is looked up when the run is planned; here only its spelling is checked. */
function checkReference(path: ConfigPath, module: string): Finding[] {
  try {
    readReference(module);
    return [];
  } catch (error) {
    if (!(error instanceof IpdmError)) throw error;
    return [found(path, `${path.join(".")}: ${error.message}`, error.hint)];
  }
}

function checkBuiltIn(path: ConfigPath, module: string): Finding[] {
  const known = BUILT_IN_MODULES.map(({ name }) => builtInReference(name));
  if (known.includes(module)) return [];
  const message = `${path.join(".")}: no module ${quoted(module)} comes with the runtime`;
  return [found(path, message, meant(module, known))];
}

function meant(name: string, known: readonly string[]): string {
  const near = nearest(name, known);
  if (near !== undefined) return `did you mean ${near}?`;
  return known.length === 0
    ? "none is declared"
    : `declared are ${known.slice(0, 10).join(", ")}${known.length > 10 ? ", …" : ""}`;
}

function quoted(name: string): string {
  return JSON.stringify(name.slice(0, 64));
}
