import { CHUNK_BYTES_MAX, CHUNK_BYTES_MIN, CHUNK_BYTES_MORE } from "../limits.ts";
import type { Groups } from "./groups.ts";
import type { KeyStore } from "./key-store.ts";

/** Groups of one window in the order of their keys' canonical bytes, by slot. */
export interface Run {
  /** Start of the window in microseconds. */
  readonly start: number;
  readonly slots: Int32Array;
}

const MARKS = 2 ** 32;

/** All open groups in canonical order: by window, then by key. */
export function orderedRuns(groups: Groups, keys: KeyStore): Run[] {
  const panes = [...groups.panes.values()].sort((a, b) => a.start - b.start);
  return panes.map((pane) => ({ start: pane.start, slots: groups.ordered(pane, keys) }));
}

/**
 * Cuts runs into chunks of a size that is bounded, at places that the keys around them decide, not the values and not the
 * number of groups before: a key that comes or goes moves the ends of few chunks. A group counts as its key's bytes and
 * `groupBytes`. A chunk ends after a group when it holds the least bytes and the key's mark is among those that come once in
 * {@link CHUNK_BYTES_MORE} bytes, and before a group that would make it larger than the most.
 */
export function cutRuns(runs: readonly Run[], groups: Groups, keys: KeyStore, groupBytes: number): Run[][] {
  const chunks: Run[][] = [];
  let chunk: Run[] = [];
  let size = 0;
  const endChunk = (): void => {
    chunks.push(chunk);
    chunk = [];
    size = 0;
  };
  for (const { start, slots } of runs) {
    let from = 0;
    const endRun = (to: number): void => {
      if (to > from) chunk.push({ start, slots: slots.subarray(from, to) });
      from = to;
    };
    for (let at = 0; at < slots.length; at++) {
      const id = groups.ids[slots[at] as number] as number;
      const bytes = keys.lengthOf(id) + groupBytes;
      if (size > 0 && size + bytes > CHUNK_BYTES_MAX) {
        endRun(at);
        endChunk();
      }
      size += bytes;
      if (size >= CHUNK_BYTES_MIN && keys.markOf(id) < (bytes / CHUNK_BYTES_MORE) * MARKS) {
        endRun(at + 1);
        endChunk();
      }
    }
    endRun(slots.length);
  }
  if (chunk.length > 0) endChunk();
  return chunks;
}
