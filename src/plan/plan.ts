import { readFile } from "node:fs/promises";
import type { CID } from "multiformats/cid";
import type { Schema } from "../batch/schema.ts";
import { builtInModule, isBuiltIn } from "../config/built-in-module.ts";
import type {
  Config,
  ModuleConfig,
  ModuleTaskConfig,
  SourceConfig,
  TaskConfig,
  WindowTaskConfig,
} from "../config/config.ts";
import { declaredTime } from "../config/config.ts";
import { isReference, readReference } from "../config/module-reference.ts";
import { atPlace } from "../config/place.ts";
import { type ModuleEntry, operatorOfEntry } from "../consensus/module-entry.ts";
import type { InputRef, Operator, Stage } from "../consensus/result.ts";
import type { LeafKind } from "../consensus/statement.ts";
import { runKey, taskKey } from "../consensus/work-key.ts";
import { IpdmError, located } from "../core/errors.ts";
import type { Hash } from "../core/ports.ts";
import { type Block, cborBlock, rawBlock } from "../dag/block.ts";
import {
  type InputPlan,
  LATE,
  MAIN,
  type ModuleLock,
  type OutputPlan,
  type ProveWindows,
  type RunPlan,
  type TaskPlan,
  windowsAsked,
} from "../runtime/plan.ts";
import { CALL_TIMEOUT_MS, type ModuleOperatorForm, moduleSpec } from "../runtime/stage/module-spec.ts";
import type { Lane, ModuleSpec } from "../sandbox/port.ts";
import { outputSchema, type WindowPlan } from "../streams/window/plan.ts";
import { anchorOf, type SourceContent } from "./anchor.ts";
import { moduleForm, withSettings } from "./module-form.ts";
import { checkProvable, proveOf } from "./prove.ts";

/** A source as the planner needs to know it. */
export interface SourceFacts {
  readonly schema: Schema;
  readonly content: SourceContent;
}

/** What a plan is made from. `lane` is where modules are asked for their output's schema. */
export interface PlanInput {
  readonly config: Config;
  readonly sources: ReadonlyMap<string, SourceFacts>;
  readonly membership: { readonly cid: CID; readonly block: Block };
  /** Rows a batch, 1 to 4096. */
  readonly cut: number;
  readonly lane: Lane;
  readonly hash: Hash;
  /** Modules of the catalogue, by what the tasks call them (`late@^1.2`). */
  readonly catalogued?: ReadonlyMap<string, CataloguedModule>;
}

/** A module of a catalogue: its entry, whose signature was checked, and the blocks of both. */
export interface CataloguedModule {
  readonly entry: ModuleEntry;
  readonly entryBlock: Block;
  readonly moduleBlock: Block;
}

/**
 * Turns a configuration into what the nodes agree on: normal forms, schemas, identities. Everything that can be wrong with a
 * task before its first row is found here: `COLUMN_MISSING`, `TIME_COLUMN_TYPE`, `AGGREGATE_TYPE`, `PROVE_COLUMN` and the
 * module errors, all of kind `config`, with `where` naming the task or its place in the configuration.
 */
export async function makePlan(input: PlanInput): Promise<RunPlan> {
  const planner = new Planner(input);
  return planner.plan();
}

class Planner {
  private readonly input: PlanInput;
  private readonly inputs = new Map<string, InputPlan>();
  private readonly tasks = new Map<string, TaskPlan>();
  private readonly locks: ModuleLock[] = [];

  constructor(input: PlanInput) {
    this.input = input;
  }

  async plan(): Promise<RunPlan> {
    const { config, membership, cut, hash } = this.input;
    for (const source of config.sources) this.addInput(source);
    for (const task of config.tasks) await located(`tasks.${task.name}`, () => this.addTask(task));
    const outputs = config.outputs.map((output): OutputPlan => {
      const task = this.inputs.has(output.input)
        ? this.copyOf(output.input)
        : (this.tasks.get(output.input) as TaskPlan);
      const port = output.side === "late" ? LATE : MAIN;
      return { name: output.name, task: task.name, port, schema: task.ports[port] as Schema };
    });
    const tasks = [...this.tasks.values()];
    const used = new Set(tasks.flatMap((task) => (task.input.from === "source" ? [task.input.name] : [])));
    const key = runKey(hash, {
      name: config.name,
      membership: membership.cid,
      tasks: Object.fromEntries(tasks.map((task) => [task.name, task.key.cid])),
      outputs: Object.fromEntries(outputs.map(({ name, task, port }) => [name, { task, port }])),
    });
    const inputs = [...this.inputs.values()].filter(({ name }) => used.has(name));
    const { locks } = this;
    return { name: config.name, tasks, inputs, outputs, membership, cut, locks, key };
  }

  private addInput(source: SourceConfig): void {
    const facts = this.input.sources.get(source.name);
    if (facts === undefined) return;
    const { anchor, block, parts } = anchorOf(source, facts.content, this.input.hash);
    const { schema, content } = facts;
    const trusted = "kind" in content ? content.anchor : null;
    this.inputs.set(source.name, { name: source.name, anchor, anchorBlock: block, parts, trusted, schema });
  }

  private async addTask(task: TaskConfig): Promise<void> {
    if (task.kind === "module") await this.addModule(task);
    else await this.addWindow(task);
  }

  private async addModule(task: ModuleTaskConfig): Promise<void> {
    const { config, hash } = this.input;
    if (isReference(task.module)) return this.addCatalogued(task);
    const module = isBuiltIn(task.module)
      ? builtInModule(task.module)
      : config.modules.find((candidate) => candidate.name === task.module);
    if (module === undefined) throw new IpdmError("INVARIANT", `module ${task.module} was checked`);
    const bytes = await readModule(task.name, module);
    const { cid } = rawBlock(hash, bytes);
    const operator = moduleForm(withSettings(module, task.settings), cid);
    const spec = moduleSpec(operator, bytes, Math.ceil(module.timeoutUs / 1000));
    await this.addLoaded(task, operator, { ...spec, isolation: module.isolation });
  }

  /** A module of the catalogue runs as its entry declares it, and is pinned. */
  private async addCatalogued(task: ModuleTaskConfig): Promise<void> {
    const found = this.input.catalogued?.get(task.module);
    if (found === undefined) throw new IpdmError("INVARIANT", `module ${task.module} was resolved`);
    const { entry, entryBlock, moduleBlock } = found;
    const { name, version, module } = entry;
    const operator = operatorOfEntry(entry);
    await this.addLoaded(task, operator, moduleSpec(operator, moduleBlock.bytes, CALL_TIMEOUT_MS));
    const { range } = readReference(task.module);
    this.locks.push({ task: task.name, name, range, version, module, entry: entryBlock });
  }

  private async addLoaded(task: ModuleTaskConfig, operator: ModuleOperatorForm, spec: ModuleSpec): Promise<void> {
    const handle = await this.input.lane.load(spec);
    const { schema } = this.upstream(task.input);
    this.add(task.name, task.input, operator, { [MAIN]: await handle.outputSchema(schema) }, spec, null);
  }

  private async addWindow(task: WindowTaskConfig): Promise<void> {
    const { config } = this.input;
    const declared = declaredTime(config, task.input);
    if (declared === undefined) {
      throw new IpdmError("TIME_MISSING", `${task.input} declares no event time, which a window needs`, {
        kind: "config",
        hint: `declare time: { column: …, outOfOrder: 0s } at the source, or at a module task between ${task.input} and this one`,
      });
    }
    const { schema } = this.upstream(task.input);
    const { time, path } = declared;
    const aggregates = task.aggregates.map(({ name, kind, column }) => ({ name, kind, column: column ?? null }));
    const operator: Extract<Operator, { kind: "window" }> = {
      kind: "window",
      time: time.column,
      outOfOrderUs: time.outOfOrderUs,
      sizeUs: task.tumbleUs,
      offsetUs: 0,
      latenessUs: task.latenessUs,
      keys: [...task.key],
      aggregates,
    };
    const plan: WindowPlan = { ...operator, aggregates: task.aggregates };
    await checkColumns(plan, schema, ["tasks", task.name], [...path, "column"]);
    const prove = proveOf(task);
    if (prove !== null) await atPlace(["tasks", task.name, "prove"], () => checkProvable(task, schema));
    this.add(task.name, task.input, operator, { [MAIN]: outputSchema(plan, schema), [LATE]: schema }, null, prove);
  }

  /** A source that is an output itself becomes one through a task that copies it. */
  private copyOf(source: string): TaskPlan {
    const name = `copy:${source}`;
    return (
      this.tasks.get(name) ??
      this.add(name, source, { kind: "copy" }, { [MAIN]: this.upstream(source).schema }, null, null)
    );
  }

  private add(
    name: string,
    input: string,
    operator: Operator,
    ports: Readonly<Record<string, Schema>>,
    module: ModuleSpec | null,
    prove: ProveWindows | null,
  ): TaskPlan {
    const { hash, membership, cut } = this.input;
    const { ref, schema, link } = this.upstream(input);
    const leaves = Object.fromEntries(Object.keys(ports).map((port) => [port, this.leafOf(name, port, prove)]));
    const stage: Stage = { v: 1, task: name, input: ref, operator, upstream: link, leaves };
    const block = cborBlock(hash, stage);
    const asked = prove === null ? null : windowsAsked(prove);
    const key = taskKey(hash, { stage: block.cid, membership: membership.cid, cut, prove: asked });
    const task: TaskPlan = {
      name,
      input: ref,
      operator,
      stage: block,
      inputSchema: schema,
      ports,
      leaves,
      module,
      prove,
      key,
    };
    this.tasks.set(name, task);
    return task;
  }

  private leafOf(task: string, port: string, prove: ProveWindows | null): LeafKind {
    const leaves = this.input.config.outputs.some(
      ({ input, side }) => (input === task || `copy:${input}` === task) && (side === "late" ? LATE : MAIN) === port,
    );
    return leaves || (prove !== null && port === MAIN) ? "row" : "batch";
  }

  private upstream(name: string): { readonly ref: InputRef; readonly schema: Schema; readonly link: CID } {
    const source = this.inputs.get(name);
    if (source !== undefined)
      return { ref: { from: "source", name, port: MAIN }, schema: source.schema, link: source.anchorBlock.cid };
    const task = this.tasks.get(name);
    if (task === undefined) throw new IpdmError("INVARIANT", `input ${name} was checked`);
    return { ref: { from: "task", name, port: MAIN }, schema: task.ports[MAIN] as Schema, link: task.stage.cid };
  }
}

async function readModule(task: string, { name, file }: ModuleConfig): Promise<Uint8Array> {
  try {
    return new Uint8Array(await readFile(file.path));
  } catch (cause) {
    throw new IpdmError(
      "MODULE_UNREADABLE",
      `tasks.${task}: module ${name} cannot be read: ${(cause as Error).message}`,
      { kind: "config", where: file.path, hint: "check the file and its permissions", cause },
    );
  }
}

/** Checks a window's columns one by one, so that an error names the place of the one that it is about. */
async function checkColumns(
  plan: WindowPlan,
  schema: Schema,
  task: readonly string[],
  time: readonly string[],
): Promise<void> {
  const bare = { ...plan, keys: [], aggregates: [] };
  await atPlace(time, () => outputSchema(bare, schema));
  for (const [i, key] of plan.keys.entries())
    await atPlace([...task, "key", i], () => outputSchema({ ...bare, keys: [key] }, schema));
  for (const aggregate of plan.aggregates)
    await atPlace([...task, "aggregate", aggregate.name], () =>
      outputSchema({ ...bare, aggregates: [aggregate] }, schema),
    );
}
