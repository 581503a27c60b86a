import * as dagCbor from "@ipld/dag-cbor";
import type { Receipt } from "../../../proofs/receipt/contents.ts";
import type { Anchor, Operator, Result } from "../../consensus/result.ts";
import { equalBytes, toHex } from "../../core/bytes.ts";
import { generatedText } from "../../sources/generated/kind.ts";

/** In what two results differ by what they say of themselves, without a look at rows. */
export interface Cause {
  readonly code: "INPUT_DIFFERS" | "MODULE_DIFFERS" | "TASK_DIFFERS" | "OUTPUT_DIFFERS";
  /** `inputs/flights`, `tasks/daily`, `outputs/table`. */
  readonly where: string;
  readonly message: string;
}

type Task = Result["tasks"][string];

/** All causes, the first first: inputs, then tasks in the order in which they read each other, then outputs. */
export function causesOf(a: Receipt, b: Receipt): Cause[] {
  return [...inputCauses(a, b), ...taskCauses(a.result, b.result), ...outputCauses(a.result, b.result)];
}

/** Names of a result's tasks, each after the task that it reads; by name where that leaves a choice. */
export function taskOrder({ tasks }: Result): string[] {
  const order: string[] = [];
  const visit = (name: string): void => {
    const task = Object.hasOwn(tasks, name) ? tasks[name] : undefined;
    if (task === undefined || order.includes(name)) return;
    for (const { from, name: before } of [task.input, ...(task.beside ?? [])]) if (from === "task") visit(before);
    order.push(name);
  };
  for (const name of Object.keys(tasks).sort()) visit(name);
  return order;
}

function* inputCauses(a: Receipt, b: Receipt): Generator<Cause> {
  for (const name of namesOf(a.result.inputs, b.result.inputs)) {
    const where = `inputs/${name}`;
    const [one, other] = [a.anchors.get(name), b.anchors.get(name)];
    if (one === undefined || other === undefined)
      yield lone("INPUT_DIFFERS", where, `input ${name}`, one !== undefined);
    else if (!same(one, other))
      yield { code: "INPUT_DIFFERS", where, message: `input ${name} is another: ${anchorDifference(one, other)}` };
  }
}

function anchorDifference(one: Anchor, other: Anchor): string {
  const [a, b] = [contentText(one), contentText(other)];
  return a === b ? `${differingKeys(one, other).join(", ")} of the same content` : `${a} in a, ${b} in b`;
}

function contentText(anchor: Anchor): string {
  if (anchor.kind === "file") return `SHA-256 ${toHex(anchor.sha256)} (${anchor.bytes} bytes)`;
  if (anchor.kind === "generated") return generatedText(anchor);
  const { kind, chain, from, to, root } = anchor;
  const hashes = root === null ? "" : `, hashes under root ${toHex(root)}`;
  return `${kind} ${chain ?? ""} blocks ${from} to ${to ?? "the head"}${hashes}`;
}

function* taskCauses(a: Result, b: Result): Generator<Cause> {
  const order = taskOrder(a);
  for (const name of [...order, ...taskOrder(b).filter((other) => !order.includes(other))]) {
    const where = `tasks/${name}`;
    const [one, other] = [ownOf(a.tasks, name), ownOf(b.tasks, name)];
    if (one === undefined || other === undefined) {
      yield lone("TASK_DIFFERS", where, `task ${name}`, one !== undefined);
      continue;
    }
    if (!same([one.input, ...(one.beside ?? [])], [other.input, ...(other.beside ?? [])]))
      yield {
        code: "TASK_DIFFERS",
        where,
        message: `task ${name} reads ${inputText(one)} in a, ${inputText(other)} in b`,
      };
    yield* operatorCauses(where, name, one.operator, other.operator);
  }
}

function* operatorCauses(where: string, name: string, one: Operator, other: Operator): Generator<Cause> {
  if (one.kind !== other.kind) {
    yield { code: "TASK_DIFFERS", where, message: `task ${name} is a ${one.kind} in a, a ${other.kind} in b` };
    return;
  }
  const keys = differingKeys(one, other);
  if (one.kind === "module" && other.kind === "module" && keys.includes("module"))
    yield {
      code: "MODULE_DIFFERS",
      where,
      message: `task ${name} runs module ${one.module.toString()} in a, ${other.module.toString()} in b`,
    };
  const others = keys.filter((key) => key !== "module");
  if (others.length > 0)
    yield { code: "TASK_DIFFERS", where, message: `task ${name} has another configuration: ${others.join(", ")}` };
}

function* outputCauses(a: Result, b: Result): Generator<Cause> {
  for (const name of namesOf(a.outputs, b.outputs)) {
    const where = `outputs/${name}`;
    const [one, other] = [ownOf(a.outputs, name), ownOf(b.outputs, name)];
    if (one === undefined || other === undefined) {
      yield lone("OUTPUT_DIFFERS", where, `output ${name}`, one !== undefined);
      continue;
    }
    const keys = differingKeys(one, other).filter((key) => key !== "rows" && key !== "root");
    if (keys.length > 0)
      yield { code: "OUTPUT_DIFFERS", where, message: `output ${name} differs in ${keys.join(", ")}` };
  }
}

function lone(code: Cause["code"], where: string, what: string, isInA: boolean): Cause {
  return { code, where, message: `${what} is in ${isInA ? "a" : "b"} alone` };
}

function inputText({ input, beside = [] }: Task): string {
  const each = [input, ...beside].map(({ from, name, port }) =>
    from === "source" || port === "main" ? name : `${name}.${port}`,
  );
  return each.join(" and ");
}

function namesOf(a: object, b: object): string[] {
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].sort();
}

function ownOf<T>(record: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}

function differingKeys(a: object, b: object): string[] {
  const [one, other] = [a as Record<string, unknown>, b as Record<string, unknown>];
  return namesOf(a, b).filter((key) => !same(one[key] ?? null, other[key] ?? null));
}

function same(a: unknown, b: unknown): boolean {
  return equalBytes(dagCbor.encode(a), dagCbor.encode(b));
}
