import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from "yaml";
import { DEPTH_MAX, NODES_MAX } from "./limits.ts";
import type { ConfigPath } from "./problem.ts";

/** A fault of the text itself, at a character offset. */
export interface SyntaxFault {
  readonly offset: number;
  readonly message: string;
  readonly hint?: string;
}

/** A YAML (or JSON) text as plain data that remembers where everything stands. */
export interface YamlTree {
  readonly value: unknown;
  readonly faults: readonly SyntaxFault[];
  /** Offset of the value at the path (or of its key), or of the nearest value around it. */
  offsetOf(path: ConfigPath, atKey: boolean): number;
  /** True when something is written at the path. */
  has(path: ConfigPath): boolean;
  /** Line and column, both from 1. */
  position(offset: number): { readonly line: number; readonly column: number };
}

/** A value, where it stands, and where its children and their keys stand. */
interface Place {
  readonly value: unknown;
  readonly offset: number;
  readonly children: ReadonlyMap<string | number, { readonly keyOffset: number; readonly place: Place }>;
}

interface Walk {
  readonly faults: SyntaxFault[];
  /** Anchored nodes that are complete, by name: one that contains its own alias is not known yet when the alias is read. */
  readonly anchors: Map<string, Node>;
  nodes: number;
}

/**
 * Reads one YAML 1.2 document. Duplicate keys, keys that are not text, unknown tags, unknown or self-containing aliases, nesting
 * beyond {@link DEPTH_MAX} and more than {@link NODES_MAX} values (aliases expanded) are faults; nothing is thrown.
 */
export function readYaml(text: string): YamlTree {
  const lines = new LineCounter();
  // uniqueKeys compares every key with every other: minutes for a file of 1 MiB. Duplicates are found below instead.
  const document = parseDocument(text, {
    lineCounter: lines,
    uniqueKeys: false,
    prettyErrors: false,
    logLevel: "error",
  });
  const faults: SyntaxFault[] = [...document.errors, ...document.warnings]
    .slice(0, 10)
    .map((error) => ({ offset: error.pos[0], ...explained(error.code, error.message) }));
  const nothing: Place = { value: null, offset: 0, children: new Map() };
  const contents = faults.length === 0 ? document.contents : null;
  const root = contents === null ? nothing : read(contents, { faults, anchors: new Map(), nodes: 0 }, 0);
  return {
    value: root.value,
    faults,
    offsetOf: (path, atKey) => offsetOf(root, path, atKey),
    has: (path) =>
      path.reduce<Place | undefined>((place, step) => place?.children.get(step)?.place, root) !== undefined,
    position: (offset) => {
      const { line, col } = lines.linePos(Math.min(offset, text.length));
      return { line: Math.max(line, 1), column: Math.max(col, 1) };
    },
  };
}

function read(node: Node, walk: Walk, depth: number): Place {
  const offset = node.range?.[0] ?? 0;
  const empty: Place = { value: null, offset, children: new Map() };
  walk.nodes++;
  if (walk.nodes > NODES_MAX) {
    if (walk.nodes === NODES_MAX + 1)
      walk.faults.push({ offset, message: `more than ${NODES_MAX} values, aliases expanded` });
    return empty;
  }
  if (depth > DEPTH_MAX) {
    walk.faults.push({ offset, message: `nested deeper than ${DEPTH_MAX} levels` });
    walk.nodes = NODES_MAX + 1; // one such fault is enough
    return empty;
  }
  if (isAlias(node)) {
    const target = walk.anchors.get(node.source);
    if (target !== undefined) return { ...read(target, walk, depth + 1), offset };
    walk.faults.push({
      offset,
      message: `the alias *${node.source} has no anchor &${node.source} that ends before it`,
    });
    return empty;
  }
  const place = isMap(node) ? readMap(node, walk, depth) : isSeq(node) ? readSeq(node, walk, depth) : empty;
  const anchor = node.anchor;
  if (anchor !== undefined) walk.anchors.set(anchor, node);
  return isScalar(node) ? { ...empty, value: node.value } : place;
}

function readMap(node: Node, walk: Walk, depth: number): Place {
  const offset = node.range?.[0] ?? 0;
  const entries: [string, unknown][] = [];
  const children = new Map<string, { keyOffset: number; place: Place }>();
  for (const { key, value } of isMap<Node, Node | null>(node) ? node.items : []) {
    const keyOffset = key.range?.[0] ?? offset;
    if (!isScalar(key) || (typeof key.value !== "string" && typeof key.value !== "number")) {
      walk.faults.push({ offset: keyOffset, message: "a key must be text" });
      continue;
    }
    const name = String(key.value);
    if (children.has(name)) {
      walk.faults.push({
        offset: keyOffset,
        message: `${name} stands twice in the same place`,
        hint: "remove or rename one of the two",
      });
      continue;
    }
    // A key without a value has an empty one, somewhere behind it: point at the key instead.
    const absent = value === null || (isScalar(value) && value.source === "");
    const place = absent ? { value: null, offset: keyOffset, children: new Map() } : read(value, walk, depth + 1);
    children.set(name, { keyOffset, place });
    entries.push([name, place.value]);
    if (walk.nodes > NODES_MAX) break;
  }
  return { value: Object.fromEntries(entries), offset, children };
}

function readSeq(node: Node, walk: Walk, depth: number): Place {
  const offset = node.range?.[0] ?? 0;
  const children = new Map<number, { keyOffset: number; place: Place }>();
  for (const item of isSeq<Node>(node) ? node.items : []) {
    const place = read(item, walk, depth + 1);
    children.set(children.size, { keyOffset: place.offset, place });
    if (walk.nodes > NODES_MAX) break;
  }
  return { value: [...children.values()].map((child) => child.place.value), offset, children };
}

function offsetOf(root: Place, path: ConfigPath, atKey: boolean): number {
  let place = root;
  let keyOffset = root.offset;
  for (const step of path) {
    const child = place.children.get(step);
    if (child === undefined) return keyOffset; // the value is missing: point at what should hold it
    keyOffset = child.keyOffset;
    place = child.place;
  }
  return atKey ? keyOffset : place.offset;
}

/** The parser's messages in words of someone who only wants to write a configuration. */
function explained(code: string, message: string): { message: string; hint?: string } {
  switch (code) {
    case "MULTIPLE_DOCS":
      return {
        message: "the file holds more than one YAML document",
        hint: "keep one: remove the line --- and what follows it",
      };
    case "TAB_AS_INDENT":
      return { message: "a tab stands where the indentation is", hint: "indent with spaces" };
    case "RESOURCE_EXHAUSTION":
      return { message: `nested deeper than ${DEPTH_MAX} levels` };
    case "TAG_RESOLVE_FAILED":
      return { message, hint: "tags (!name) have no meaning here" };
    default:
      return { message };
  }
}
