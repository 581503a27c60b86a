import { parseDuration } from "../core/duration.ts";
import { instantText } from "../streams/instant.ts";
import { chainKindOf } from "./chain-source.ts";
import { checkChainTask } from "./chain-task.ts";
import { majorityOf } from "./config.ts";
import { cyclesOf, inputNames } from "./graph.ts";
import { readInstant } from "./instant.ts";
import { AGGREGATES_MAX } from "./limits.ts";
import { checkModules } from "./module-check.ts";
import { isReference } from "./module-reference.ts";
import { checkNames } from "./names.ts";
import { checkOutputFiles } from "./output-check.ts";
import { type ConfigPath, type Finding, placeName } from "./problem.ts";
import type { WrittenConfig } from "./schema.ts";
import { checkSource } from "./source-check.ts";
import { checkStreamTask } from "./stream-check.ts";
import { isStreamTask, STREAM_KEYS } from "./stream-task.ts";

type Module = NonNullable<WrittenConfig["modules"]>[string];
type Task = NonNullable<WrittenConfig["tasks"]>[string];

/** Keys of a task that are about a module of the catalogue; of others `modules` says what there is to say. */
const CATALOGUE_KEYS = ["upgrade", "isolation"] as const;

/** Checks what one part of a well-formed configuration says about another. All that is wrong, or odd (`warnings`), is returned. */
export function crossCheck(config: WrittenConfig): {
  readonly findings: readonly Finding[];
  readonly warnings: readonly Finding[];
} {
  const tasks = Object.entries(config.tasks ?? {});
  const { findings: names, warnings } = checkNames(config);
  const cycles = cyclesOf(tasks.map(([name, task]) => [name, inputNames(task)]));
  const findings = [
    ...checkDomain(config.domain),
    ...Object.entries(config.modules ?? {}).flatMap(([name, module]) => checkModule(["modules", name], module)),
    ...names,
    ...checkModules(config),
    ...Object.entries(config.sources).flatMap(([name, source]) => checkSource(["sources", name], source)),
    ...tasks.flatMap(([name, task]) => checkTask(["tasks", name], task)),
    ...tasks.flatMap(([name, task]) => checkChainTask(config, ["tasks", name], task)),
    ...cycles.map((cycle) =>
      at(
        ["tasks", cycle[0] ?? "", "input"],
        `the tasks form a cycle: ${[...cycle, cycle[0]].join(" reads ")}`,
        "let one of them read a source",
      ),
    ),
    ...(cycles.length > 0 ? [] : tasks.flatMap(([name, task]) => checkEventTime(config, name, task))),
    ...checkOutputFiles(config),
  ];
  return { findings, warnings: findings.length > 0 ? [] : warnings };
}

function at(path: ConfigPath, message: string, hint?: string, atKey = false): Finding {
  return { path, atKey, message, ...(hint === undefined ? {} : { hint }) };
}

function checkDomain(domain: WrittenConfig["domain"]): Finding[] {
  if (domain === undefined) return [];
  const { replicas, quorum, verify, share } = domain;
  const findings: Finding[] = [];
  const path = ["domain", "quorum"];
  if (quorum !== undefined && quorum > replicas) {
    findings.push(
      at(
        path,
        `domain.quorum is ${quorum}, but there are only ${replicas} replicas`,
        `write quorum: ${majorityOf(replicas)}, or more replicas`,
      ),
    );
  } else if (quorum !== undefined && quorum <= replicas / 2) {
    const message = `domain.quorum is ${quorum}, not more than half of ${replicas} replicas: two different results could both have a quorum`;
    findings.push(at(path, message, `write quorum: ${majorityOf(replicas)} or more`));
  }
  if (share !== undefined && verify !== "sample") {
    findings.push(
      at(
        ["domain", "share"],
        `domain.share has no meaning with verify: ${verify}`,
        "write verify: sample, or remove share",
        true,
      ),
    );
  }
  return findings;
}

function checkModule(path: ConfigPath, module: Module): Finding[] {
  if (typeof module === "string") return [];
  const { kind, unit, abi } = module;
  const place = placeName(path);
  const findings: Finding[] = [];
  if (unit !== undefined && kind === "rows") {
    const message = `${place}.unit has no meaning with kind: rows`;
    findings.push(at([...path, "unit"], message, "write kind: batch or kind: stateful, or remove unit", true));
  }
  if (kind === "stateful" && abi !== "ipdm/1") {
    const message = `${place} cannot be stateful: modules of the abi ${abi} keep nothing from one call to the next`;
    findings.push(at([...path, "kind"], message, "write kind: batch, or use a module of the abi ipdm/1"));
  }
  return findings;
}

/** Keys of a task that have a meaning with some modules only. */
function checkModuleKeys(path: ConfigPath, task: Task): Finding[] {
  const place = placeName(path);
  const own =
    task.module !== undefined && isReference(task.module) ? undefined : CATALOGUE_KEYS.find((key) => task[key]);
  if (own !== undefined) {
    const message = `${place}.${own} has no meaning without a module of the catalogue`;
    return [at([...path, own], message, `name the module as name@range, or remove ${own}`, true)];
  }
  if (task.settings !== undefined && (task.module === undefined || isReference(task.module))) {
    const message =
      task.module === undefined
        ? `${place}.settings belongs to a task with module`
        : `${place}.settings: a module of the catalogue runs as its entry declares`;
    return [at([...path, "settings"], message, "remove it", true)];
  }
  return [];
}

/** What a task is: exactly one of these keys says it. */
const TASK_KINDS = ["module", "table", "events", "window"] as const;

function checkTask(path: ConfigPath, task: Task): Finding[] {
  const place = placeName(path);
  const [kind, other] = TASK_KINDS.filter((key) => task[key] !== undefined);
  if (kind !== undefined && other !== undefined) {
    const message = `${place} has both ${kind} and ${other}`;
    return [at([...path, other], message, "make two tasks of it, one reading the other", true)];
  }
  const ofModule = checkModuleKeys(path, task);
  if (ofModule.length > 0) return ofModule;
  if (kind !== undefined && kind !== "window") {
    if (typeof task.input !== "string") {
      const message = `${place}.input: a task with ${kind} reads one input`;
      return [at([...path, "input"], message, "bring them together in a task of their own")];
    }
    const other = STREAM_KEYS.find((key) => task[key] !== undefined);
    if (other !== undefined) {
      const message = `${place} has both ${kind} and ${other}`;
      return [at([...path, other], message, "make two tasks of it, one reading the other", true)];
    }
    return (["key", "aggregate", "prove"] as const).flatMap((key) =>
      task[key] === undefined
        ? []
        : [
            at(
              [...path, key],
              `${place}.${key} belongs to a task with window, not with ${kind}`,
              "move it to a task that reads this one",
              true,
            ),
          ],
    );
  }
  const isStream = isStreamTask(task);
  if (task.window === undefined && !isStream)
    return [
      at(
        path,
        `${place} has neither module nor window`,
        "add module: <name>, or window: { tumble: 1d } and aggregate, or another operator",
        true,
      ),
    ];
  const ofStream = [...checkStreamTask(path, task), ...(isStream ? checkUnproved(path, task) : [])];
  if (ofStream.length > 0 || task.window === undefined) return [...ofStream, ...checkNoWindow(path, task)];
  const findings: Finding[] = [];
  const count = Object.keys(task.aggregate ?? {}).length;
  if (count === 0)
    findings.push(
      at(
        [...path, "aggregate"],
        `${place}.aggregate is missing: a window task needs at least one`,
        "add aggregate: { rows: count() }",
        true,
      ),
    );
  if (count > AGGREGATES_MAX)
    findings.push(at([...path, "aggregate"], `${place}.aggregate has ${count} entries, more than ${AGGREGATES_MAX}`));
  return [...findings, ...checkWindowColumns(path, task), ...checkNamedWindows(path, task)];
}

/** What belongs to a window, of a task without one. */
function checkNoWindow(path: ConfigPath, task: Task): Finding[] {
  if (task.window !== undefined) return [];
  return (["key", "aggregate"] as const).flatMap((key) =>
    task[key] === undefined
      ? []
      : [
          at(
            [...path, key],
            `${placeName(path)}.${key} belongs to a task with window`,
            "add window, or remove it",
            true,
          ),
        ],
  );
}

/** Proofs are of plain tumbling windows. */
function checkUnproved(path: ConfigPath, task: Task): Finding[] {
  if (task.prove === undefined) return [];
  const message = `${placeName(path)}.prove: only a plain tumbling window of count, sum, min, max and mean can be proved`;
  return [at([...path, "prove"], message, "move what comes before it to a task of its own, or remove prove", true)];
}

/** A window's table has the columns start and end, the key, then the aggregates; all names differ. */
function checkWindowColumns(path: ConfigPath, task: Task): Finding[] {
  const taken = new Map([
    ["start", "the window's start"],
    ["end", "the window's end"],
  ]);
  const findings: Finding[] = [];
  const take = (name: string, what: string, where: ConfigPath, atKey: boolean): void => {
    const other = taken.get(name);
    if (other !== undefined)
      findings.push(
        at(
          where,
          `${placeName(where)}: the window's table already has a column ${name}, ${other}`,
          "choose another name",
          atKey,
        ),
      );
    taken.set(name, what);
  };
  (task.key ?? []).forEach((column, i) => take(column, "a key column", [...path, "key", i], false));
  for (const name of Object.keys(task.aggregate ?? {})) take(name, "an aggregate", [...path, "aggregate", name], true);
  return findings;
}

function checkNamedWindows(path: ConfigPath, task: Task): Finding[] {
  const { prove, window, key = [] } = task;
  if (prove === undefined || prove === "window" || typeof prove.windows === "number" || window === undefined) return [];
  const size = parseDuration(window.tumble ?? "1us"); // only plain tumbling windows can be proved
  const seen = new Set<string>();
  return prove.windows.flatMap((named, i) => {
    const where = [...path, "prove", "windows", i];
    const start = typeof named.start === "number" ? named.start : readInstant(named.start);
    const identity = JSON.stringify([start, named.key.map((value) => (value === null ? null : String(value)))]);
    const twice = seen.has(identity);
    seen.add(identity);
    const inside = ((start % size) + size) % size;
    return [
      ...(inside === 0
        ? []
        : [
            at(
              [...where, "start"],
              `${placeName(where)}.start is no start of a window of ${window.tumble}`,
              `the window around it starts at ${instantText(start - inside)}`,
            ),
          ]),
      ...(named.key.length === key.length
        ? []
        : [
            at(
              [...where, "key"],
              `${placeName(where)}.key has ${named.key.length} values, the task's key has ${key.length} columns`,
              key.length === 0 ? "remove it" : `write one value for each of ${key.join(", ")}`,
            ),
          ]),
      ...(twice ? [at(where, `${placeName(where)} names a window that stands above already`, "remove it")] : []),
    ];
  });
}

/** A window needs an event time: from a module's output on the way to it, or from the source. */
function checkEventTime(config: WrittenConfig, name: string, task: Task): Finding[] {
  if (task.window === undefined) return [];
  for (let input = task.input; typeof input === "string"; ) {
    const source = config.sources[input];
    if (source !== undefined && Object.hasOwn(config.sources, input)) {
      if (source.time !== undefined) return [];
      const message = `tasks.${name}.window needs an event time, and sources.${input} declares none`;
      const hint =
        chainKindOf(source) === undefined
          ? `add time: { column: <name> } to sources.${input}`
          : "put a task between them whose rows have a time: blocks have none";
      return [at(["tasks", name, "window"], message, hint, true)];
    }
    const before = Object.hasOwn(config.tasks ?? {}, input) ? config.tasks?.[input] : undefined;
    if (before === undefined || before.window !== undefined || before.time !== undefined) return []; // an unknown input is another finding
    const module = Object.hasOwn(config.modules ?? {}, before.module ?? "")
      ? config.modules?.[before.module ?? ""]
      : undefined;
    if (typeof module === "object" && module.time !== undefined) return [];
    if (
      [before.select, before.project, before.rename, before.withColumns, before.join].some((key) => key !== undefined)
    )
      return []; // planning sees whether the column stays
    input = before.input;
  }
  return [];
}
