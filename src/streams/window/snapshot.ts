import type { Value } from "../../batch/column.ts";
import type { Ipld } from "../../dag/block.ts";
import { decodeCbor } from "../../dag/cbor.ts";
import type { Run } from "./chunks.ts";
import type { AggregateColumns } from "./columns.ts";
import type { Groups } from "./groups.ts";
import type { KeyStore } from "./key-store.ts";
import type { KeyTable } from "./key-table.ts";
import { bytesOfU32, bytesPart, malformed, partOf, u32OfBytes } from "./state-bytes.ts";
import type { Windows } from "./windows.ts";

/** What a window's snapshot is made of. */
export interface WindowState {
  readonly core: { keys: KeyTable; readonly groups: Groups; readonly columns: AggregateColumns } & Progress;
  readonly windows: Windows;
}

/** Where a window operator is in its input. */
export interface Progress {
  /** Newest event time so far in microseconds; -∞ before the first row, +∞ after the end. */
  readonly newest: number;
  /** Rows taken so far, late ones included. */
  readonly seen: number;
}

/** The group read last, in canonical order: the next one must come after it. */
export interface Cursor {
  start: number;
  id: number | undefined;
}

/** What a group counts besides its key's canonical bytes: 8 for its place, 8 for each number kept. */
export function groupBytes(columns: AggregateColumns): number {
  return 8 + 8 * columns.size;
}

/** Progress as the members `seen`, `newest` and `ended` of a state. */
export function writeProgress({ newest, seen }: Progress): { readonly [name: string]: Ipld } {
  return {
    seen,
    newest: Number.isFinite(newest) ? newest : null,
    ended: newest === Number.POSITIVE_INFINITY,
  };
}

/** The reverse of {@link writeProgress}. Throws `WINDOW_SNAPSHOT_MALFORMED`. */
export function readProgress(state: Ipld): Progress {
  const newest = partOf(state, "newest");
  const idle = partOf(state, "ended") === true ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
  return { newest: newest === null ? idle : whole(newest, "newest"), seen: whole(partOf(state, "seen"), "seen") };
}

/**
 * `{keys: {ends, bytes}, windows: [{start, keys, state}]}`: windows by start, each with the positions of its keys, in the
 * order of their canonical bytes, and a column of little-endian bytes an accumulator; the keys that they point to stand
 * once, in the order in which the windows first name them.
 */
export function writeRuns(state: WindowState, runs: readonly Run[]): { readonly [name: string]: Ipld } {
  const { keys, groups, columns } = state.core;
  const { ids, positions } = placed(runs, groups, state.windows.repeats);
  return {
    keys: writeKeys(keys.store, ids),
    windows: runs.map(({ start, slots }, i): Ipld => {
      return { start, keys: bytesOfU32(positions[i] as Uint32Array), state: columns.save(slots) };
    }),
  };
}

/** Key ids in the order of first use, and for each run the positions of its keys among them. */
function placed(
  runs: readonly Run[],
  { ids }: Groups,
  repeats: boolean,
): { ids: Int32Array; positions: readonly Uint32Array[] } {
  const [only] = runs;
  if (only !== undefined && runs.length === 1 && !repeats) {
    const used = new Int32Array(only.slots.length);
    const positions = new Uint32Array(used.length);
    for (let i = 0; i < used.length; i++) {
      used[i] = ids[only.slots[i] as number] as number;
      positions[i] = i;
    }
    return { ids: used, positions: [positions] };
  }
  const position = new Map<number, number>();
  const positions = runs.map(({ slots }) =>
    Uint32Array.from(slots, (slot) => {
      const id = ids[slot] as number;
      let at = position.get(id);
      if (at === undefined) {
        at = position.size;
        position.set(id, at);
      }
      return at;
    }),
  );
  return { ids: Int32Array.from(position.keys()), positions };
}

function writeKeys(keys: KeyStore, ids: Int32Array): Ipld {
  const ends = new Uint32Array(ids.length);
  let size = 0;
  for (let i = 0; i < ids.length; i++) {
    size += keys.lengthOf(ids[i] as number);
    ends[i] = size;
  }
  const bytes = new Uint8Array(size);
  for (let i = 0; i < ids.length; i++) keys.copy(ids[i] as number, bytes, i === 0 ? 0 : (ends[i - 1] as number));
  return { ends: bytesOfU32(ends), bytes };
}

/** Adds the groups that {@link writeRuns} wrote, which must come after `last`. Throws `WINDOW_SNAPSHOT_MALFORMED`. */
export function readRuns(part: Ipld, { core, windows: kind }: WindowState, last: Cursor): void {
  const { keys, columns } = core;
  const known = readKeys(partOf(part, "keys"), keys);
  const fixed = groupBytes(columns);
  const windows = partOf(part, "windows");
  if (!Array.isArray(windows)) throw malformed("windows");
  for (const window of windows as readonly Ipld[]) {
    const start = whole(partOf(window, "start"), "start");
    if (!(start >= last.start)) throw malformed("start of a window");
    if (start > last.start) last.id = undefined;
    last.start = start;
    const slots = Int32Array.from(u32OfBytes(partOf(window, "keys")), (at) => {
      const id = known[at];
      if (id === undefined) throw malformed("position of a key");
      const order = last.id === undefined ? -1 : keys.store.compare(last.id, id);
      if (order > 0 || (order === 0 && !kind.repeats)) throw malformed("order of keys");
      last.id = id;
      return kind.place(start, id, keys.store.lengthOf(id) + fixed);
    });
    columns.load(slots, partOf(window, "state"));
  }
}

function readKeys(state: Ipld | undefined, keys: KeyTable): number[] {
  const bytes = bytesPart(partOf(state, "bytes"));
  let from = 0;
  return Array.from(u32OfBytes(partOf(state, "ends")), (end) => {
    const key = bytes.subarray(from, end);
    from = end;
    return keys.add(decodeKey(key, keys), key);
  });
}

function decodeKey(bytes: Uint8Array, keys: KeyTable): Value[] {
  let values: unknown;
  try {
    values = decodeCbor(bytes);
  } catch {
    throw malformed("key");
  }
  if (!Array.isArray(values) || values.length !== keys.width) throw malformed("key");
  return keys.valuesOf(values as readonly Value[]);
}

function whole(value: Ipld | undefined, name: string): number {
  if (typeof value === "number" && Number.isSafeInteger(value)) return value;
  throw malformed(name);
}
