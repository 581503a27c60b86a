import type { CID } from "multiformats/cid";
import type { Schema } from "../batch/schema.ts";
import { builtInModule, isBuiltIn } from "../config/built-in-module.ts";
import {
  type Config,
  isChainSource,
  type ModuleTaskConfig,
  type SourceConfig,
  type StreamTaskConfig,
  type TaskConfig,
  type WindowTaskConfig,
} from "../config/config.ts";
import { isReference, readReference } from "../config/module-reference.ts";
import { atPlace } from "../config/place.ts";
import { type ModuleEntry, operatorOfEntry } from "../consensus/module-entry.ts";
import type { InputRef, Stage } from "../consensus/result.ts";
import type { LeafKind } from "../consensus/statement.ts";
import { runKey, taskKey } from "../consensus/work-key.ts";
import { IpdmError, located } from "../core/errors.ts";
import type { Hash } from "../core/ports.ts";
import { type Block, cborBlock, rawBlock } from "../dag/block.ts";
import {
  type InputPlan,
  LATE,
  type LiveModule,
  MAIN,
  type ModuleLock,
  type OutputPlan,
  type ProveWindows,
  type RunPlan,
  type TaskPlan,
  windowsAsked,
} from "../runtime/plan.ts";
import { CALL_TIMEOUT_MS, type ModuleOperatorForm, moduleSpec } from "../runtime/stage/module-spec.ts";
import type { Isolation } from "../sandbox/policy.ts";
import type { Lane, ModuleSpec } from "../sandbox/port.ts";
import { outputSchema, type WindowPlan } from "../streams/window/plan.ts";
import { anchorOf, type FollowedContent, type SourceContent } from "./anchor.ts";
import { checkTime } from "./declared-time.ts";
import { moduleForm, readModule, withSettings } from "./module-form.ts";
import { moduleTime } from "./module-time.ts";
import type { NewTask, Upstream } from "./new-task.ts";
import { checkProvable, proveOf } from "./prove.ts";
import { checkSettled } from "./several-inputs.ts";
import { planStream } from "./stream-task.ts";
import { checkColumns } from "./window-columns.ts";
import { windowForm } from "./window-form.ts";

/** A source as the planner needs to know it. */
export interface SourceFacts {
  readonly schema: Schema;
  readonly content: SourceContent | FollowedContent;
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
  /** The module that a live task began with in an earlier run of the same work; else `found`, from then on. It is `found` always when left out. */
  readonly begun?: (work: CID, found: CataloguedModule) => Promise<CataloguedModule>;
}

/** A module of a catalogue: its entry, whose signature was checked, and the blocks of both. */
export interface CataloguedModule {
  readonly entry: ModuleEntry;
  readonly entryBlock: Block;
  readonly moduleBlock: Block;
  /** What separates it from the node, unless the task says so; a thread when left out. */
  readonly isolation?: Isolation;
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
  /** Sources whose end is not known when the run begins, and tasks that read one. */
  private readonly open = new Set<string>();
  /** Tasks that are live, or read one that is. */
  private readonly changing = new Set<string>();

  constructor(input: PlanInput) {
    this.input = input;
  }

  async plan(): Promise<RunPlan> {
    const { config, membership, cut, hash } = this.input;
    for (const source of config.sources) {
      this.addInput(source);
      const schema = this.inputs.get(source.name)?.schema;
      if (schema !== undefined && !isChainSource(source))
        await checkTime(["sources", source.name], schema, source.time);
    }
    for (const task of config.tasks) await located(`tasks.${task.name}`, () => this.addTask(task));
    const outputs = config.outputs.map((output): OutputPlan => {
      const task = this.inputs.has(output.input)
        ? this.copyOf(output.input)
        : (this.tasks.get(output.input) as TaskPlan);
      const port = output.side;
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
    const { anchor, block, parts, headers } = anchorOf(source, facts.content, this.input.hash);
    const { schema, content } = facts;
    if ("isFollowed" in content) this.open.add(source.name);
    const trusted = "hashes" in content ? content.anchor : null;
    this.inputs.set(source.name, { name: source.name, anchor, anchorBlock: block, parts, headers, trusted, schema });
  }

  private async addTask(task: TaskConfig): Promise<void> {
    if (task.kind === "module") await this.addModule(task);
    else if (task.kind === "stream") await this.addStream(task);
    else await this.addWindow(task);
  }

  /** Several inputs are tasks, all of them: their statements say what each has made, in pieces that the data alone decides. */
  private async addStream(task: StreamTaskConfig): Promise<void> {
    const { name, beside } = task;
    const several = beside.length > 0;
    const names = [task.input, ...beside].map((each) =>
      several && this.inputs.has(each) ? this.copyOf(each).name : each,
    );
    if (several) checkSettled(name, names, this.changing, this.open);
    const inputs = names.map((each) => ({ name: each, schema: this.upstream(each).schema }));
    const { operator, ports } = await planStream(this.input.config, task, inputs);
    const [input = "", ...others] = names;
    this.add({ name, input, operator, ports, ...(several && { beside: others }) });
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
    const { range } = readReference(task.module);
    const isLive = task.upgrade === "live";
    const { entry, entryBlock, moduleBlock } = isLive ? await this.begunWith(task, found) : found;
    const { name, version, module } = entry;
    const operator = operatorOfEntry(entry);
    const isolation = task.isolation ?? found.isolation ?? "thread";
    const spec = { ...moduleSpec(operator, moduleBlock.bytes, CALL_TIMEOUT_MS), isolation };
    await this.addLoaded(task, operator, spec, isLive ? { name, range, entry } : undefined);
    this.locks.push({ task: task.name, name, range, version, module, entry: entryBlock, live: isLive });
  }

  /** What was begun goes on as it began: the newer versions come after it. */
  private async begunWith(task: ModuleTaskConfig, found: CataloguedModule): Promise<CataloguedModule> {
    const { hash, membership, cut, begun } = this.input;
    const { ref, link, after } = this.upstream(task.input);
    const work = {
      v: 1,
      kind: "live",
      task: task.name,
      module: task.module,
      input: ref,
      upstream: link,
      after: after ?? null,
      membership: membership.cid,
      cut,
    };
    return begun === undefined ? found : begun(cborBlock(hash, work).cid, found);
  }

  private async addLoaded(
    task: ModuleTaskConfig,
    operator: ModuleOperatorForm,
    spec: ModuleSpec,
    live?: LiveModule,
  ): Promise<void> {
    const handle = await this.input.lane.load(spec);
    const { schema } = this.upstream(task.input);
    const time = await moduleTime(this.input.config, task, { operator, handle, input: schema });
    const ports = { [MAIN]: await handle.outputSchema(schema) };
    await checkTime(["tasks", task.name], ports[MAIN] as Schema, task.time);
    const timed = time === undefined ? operator : { ...operator, time };
    this.add({ name: task.name, input: task.input, operator: timed, ports, module: spec, ...(live && { live }) });
  }

  private async addWindow(task: WindowTaskConfig): Promise<void> {
    const { operator, path } = windowForm(this.input.config, task);
    const { schema } = this.upstream(task.input);
    const plan: WindowPlan = { ...operator, aggregates: task.aggregates };
    await checkColumns(plan, schema, ["tasks", task.name], [...path, "column"]);
    const prove = proveOf(task);
    if (prove !== null) await atPlace(["tasks", task.name, "prove"], () => checkProvable(task, schema));
    const ports = { [MAIN]: outputSchema(plan, schema), [LATE]: schema };
    this.add({ name: task.name, input: task.input, operator, ports, prove });
  }

  /** A source that is an output itself becomes one through a task that copies it. */
  private copyOf(source: string): TaskPlan {
    const name = `copy:${source}`;
    return (
      this.tasks.get(name) ??
      this.add({ name, input: source, operator: { kind: "copy" }, ports: { [MAIN]: this.upstream(source).schema } })
    );
  }

  private add({ name, input, beside: others, operator, ports, module = null, prove = null, live }: NewTask): TaskPlan {
    const { hash, membership, cut } = this.input;
    const { ref, schema, link, after } = this.upstream(input);
    const leaves = Object.fromEntries(Object.keys(ports).map((port) => [port, this.leafOf(name, port, prove)]));
    const beside = others?.map((each) => this.upstream(each));
    const tied =
      beside === undefined ? {} : { beside: beside.map((each) => ({ input: each.ref, upstream: each.link })) };
    const stage: Stage = { v: 1, task: name, input: ref, operator, upstream: link, ...tied, leaves };
    const block = cborBlock(hash, stage);
    const asked = prove === null ? null : windowsAsked(prove);
    const changing = { ...(live && { live }), ...(after && { after }) };
    const key = taskKey(hash, { stage: block.cid, membership: membership.cid, cut, prove: asked, ...changing });
    const task: TaskPlan = {
      name,
      input: ref,
      ...(beside && { beside: beside.map((each) => ({ input: each.ref, schema: each.schema })) }),
      operator,
      stage: block,
      inputSchema: schema,
      ports,
      leaves,
      module,
      prove,
      key,
      ...(live && { live }),
    };
    this.tasks.set(name, task);
    if (live !== undefined || after !== undefined) this.changing.add(name);
    if (this.open.has(input)) this.open.add(name);
    return task;
  }

  private leafOf(task: string, port: string, prove: ProveWindows | null): LeafKind {
    const leaves = this.input.config.outputs.some(
      ({ input, side }) => (input === task || `copy:${input}` === task) && side === port,
    );
    return leaves || (prove !== null && port === MAIN) ? "row" : "batch";
  }

  private upstream(name: string): Upstream {
    const source = this.inputs.get(name);
    if (source !== undefined)
      return { ref: { from: "source", name, port: MAIN }, schema: source.schema, link: source.anchorBlock.cid };
    const task = this.tasks.get(name);
    if (task === undefined) throw new IpdmError("INVARIANT", `input ${name} was checked`);
    const ref: InputRef = { from: "task", name, port: MAIN };
    const after = this.changing.has(name) ? { after: task.key.cid } : {};
    return { ref, schema: task.ports[MAIN] as Schema, link: task.stage.cid, ...after };
  }
}
