import type { Value } from "../../batch/column.ts";
import { concatAll } from "../../core/bytes.ts";
import type { Ipld } from "../../dag/block.ts";
import { decodeCbor } from "../../dag/cbor.ts";
import type { AggregateColumns } from "./columns.ts";
import { windowStart } from "./event-clock.ts";
import type { Groups } from "./groups.ts";
import type { KeyTable } from "./key-table.ts";
import type { WindowTimes } from "./plan.ts";
import { bytesOfU32, bytesPart, malformed, partOf, u32OfBytes } from "./state-bytes.ts";

const VERSION = 1;

/** What a window's snapshot is made of. */
export interface WindowState {
  readonly keys: KeyTable;
  readonly groups: Groups;
  readonly columns: AggregateColumns;
}

/**
 * `{v, seen, newest, ended, keys: {ends, bytes}, windows: [{start, keys, state}]}`: windows by start, each with the
 * positions of its keys, in the order of their canonical bytes, and a column of little-endian bytes an accumulator; the
 * keys that they point to stand once, in the order in which the windows first name them.
 */
export function writeState({ keys, groups, columns }: WindowState, newest: number, seen: number): Ipld {
  const panes = [...groups.panes.values()].sort((a, b) => a.start - b.start);
  const ordered = panes.map((pane) => groups.ordered(pane, keys));
  const position = new Map<number, number>();
  for (const slots of ordered) {
    for (const slot of slots) {
      const id = groups.ids[slot] as number;
      if (!position.has(id)) position.set(id, position.size);
    }
  }
  const parts = Array.from(position.keys(), (id) => keys.keyOf(id).bytes);
  let end = 0;
  const ends = Uint32Array.from(parts, (part) => (end += part.length));
  return {
    v: VERSION,
    seen,
    newest: Number.isFinite(newest) ? newest : null,
    ended: newest === Number.POSITIVE_INFINITY,
    keys: { ends: bytesOfU32(ends), bytes: concatAll(parts) },
    windows: panes.map(({ start }, i): Ipld => {
      const slots = ordered[i] as Int32Array;
      const positions = Uint32Array.from(slots, (slot) => position.get(groups.ids[slot] as number) as number);
      return { start, keys: bytesOfU32(positions), state: columns.save(slots) };
    }),
  };
}

/** Fills an empty state from a snapshot. Throws `WINDOW_SNAPSHOT_MALFORMED`. */
export function readState(
  snapshot: Ipld,
  { keys, groups, columns }: WindowState,
  times: WindowTimes,
): { newest: number; seen: number } {
  if (partOf(snapshot, "v") !== VERSION) throw malformed("version");
  const known = readKeys(partOf(snapshot, "keys"), keys);
  const windows = partOf(snapshot, "windows");
  if (!Array.isArray(windows)) throw malformed("windows");
  for (const window of windows as readonly Ipld[]) {
    const start = whole(partOf(window, "start"), "start");
    if (groups.panes.has(start) || windowStart(start, times) !== start) throw malformed("start of a window");
    const pane = groups.openPane(start, times.size, times.slack);
    const ids = Array.from(u32OfBytes(partOf(window, "keys")), (at) => known[at]);
    const slots = Int32Array.from(ids, (id) => {
      if (id === undefined) throw malformed("position of a key");
      return groups.allocate(pane, id);
    });
    columns.load(slots, partOf(window, "state"));
  }
  const newest = partOf(snapshot, "newest");
  const idle = partOf(snapshot, "ended") === true ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
  return { newest: newest === null ? idle : whole(newest, "newest"), seen: whole(partOf(snapshot, "seen"), "seen") };
}

function readKeys(state: Ipld | undefined, keys: KeyTable): number[] {
  const bytes = bytesPart(partOf(state, "bytes"));
  let from = 0;
  return Array.from(u32OfBytes(partOf(state, "ends")), (end) => {
    const key = bytes.slice(from, end);
    from = end;
    return keys.add(decodeKey(key, keys), key);
  });
}

function decodeKey(bytes: Uint8Array, keys: KeyTable): Value[] {
  try {
    return keys.valuesOf(decodeCbor(bytes) as readonly Value[]);
  } catch {
    throw malformed("key");
  }
}

function whole(value: Ipld | undefined, name: string): number {
  if (typeof value === "number" && Number.isSafeInteger(value)) return value;
  throw malformed(name);
}
