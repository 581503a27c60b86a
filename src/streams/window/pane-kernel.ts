import { CHUNK_ROWS } from "../limits.ts";
import type { WindowCore } from "./core.ts";
import { windowStart } from "./event-clock.ts";
import type { Pane } from "./groups.ts";

// The layout of src/modules/window-kernels/assign.ts: words of 32 bits in the control block and in an entry of the ring.
const NEWEST = 0;
const NEXT_DUE = 1;
const OFFSET = 2;
const SIZE = 3;
const GROUP_BYTES = 4;
const WORD = { reason: 10, late: 11, nextSlot: 12, capacity: 13, freeList: 14, free: 15, idMax: 16 } as const;
const WHERE = { slotIds: 17, touched: 18, lengths: 19, lengthsSize: 20, fresh: 21, freshCount: 22 } as const;
const CONTROL_WORDS = 24;
const ENTRIES = 64;
const ENTRY_WORDS = 10;
const ENTRY = { number: 0, closes: 1, bytes: 2, table: 6, mask: 7, room: 8, made: 9 } as const;
const NEEDS_PANE = 1;
const NEEDS_ROOM = 2;

/** A pane in which rows of the part at hand lie; without one where it has closed. */
interface Registered {
  readonly entry: number;
  readonly pane: Pane | undefined;
}

/** What the kernel asks for while it assigns rows. */
export interface PaneSource {
  /** The pane that begins at a time, and the newest time at which it closes; a new one where it has not closed and is not there. */
  paneAt(start: number, newest: number): { readonly pane: Pane | undefined; readonly closes: number };
  /** The newest time after which the part ends. */
  dueAt(): number;
}

/** Assigns rows to groups of panes as {@link PaneWindows.assign} does, in WebAssembly: panes that nothing refines and nothing triggers. */
export class PaneKernel {
  late = false;
  private readonly core: WindowCore;
  private readonly source: PaneSource;
  private readonly words: Int32Array;
  private readonly floats: Float64Array;
  private readonly ring: Int32Array;
  private readonly ringFloats: Float64Array;
  /** Pairs of row and entry. */
  private readonly fresh: Int32Array;
  private registered: Registered[] = [];

  constructor(core: WindowCore, source: PaneSource) {
    const { arena } = core;
    this.core = core;
    this.source = source;
    this.words = arena.i32(CONTROL_WORDS);
    this.floats = new Float64Array(this.words.buffer, this.words.byteOffset, CONTROL_WORDS >> 1);
    this.ring = arena.i32(ENTRIES * ENTRY_WORDS);
    this.ringFloats = new Float64Array(this.ring.buffer, this.ring.byteOffset, (ENTRIES * ENTRY_WORDS) >> 1);
    this.fresh = arena.i32(2 * CHUNK_ROWS);
    for (let entry = 0; entry < ENTRIES; entry++) this.floatsOf(entry, ENTRY.number, Number.NaN);
    this.floats[OFFSET] = core.windowTimes.offset;
    this.floats[SIZE] = core.windowTimes.size;
    this.floats[GROUP_BYTES] = core.bytesPerGroup;
    this.words[WHERE.fresh] = this.fresh.byteOffset;
  }

  /** See {@link Windows.assign}. */
  assign(at: number, count: number): number {
    const { core, words, floats, ring } = this;
    const { kernels } = core.arena;
    if (kernels === undefined) return at;
    const { times, marks } = core;
    words[WORD.late] = 0;
    this.renew();
    let next = at;
    for (;;) {
      this.begin();
      next = kernels.assign(words.byteOffset, ring.byteOffset, times.byteOffset, marks.byteOffset, next, count);
      core.newest = floats[NEWEST] as number;
      const reason = words[WORD.reason];
      this.settle();
      if (reason === NEEDS_PANE) this.register(times[next] as number, core.seen + next - at);
      else if (reason === NEEDS_ROOM) this.makeRoom(times[next] as number);
      else break;
    }
    this.late = words[WORD.late] === 1;
    return next;
  }

  /** Panes of the part before are still in the ring: those that are open stay, where their tables are now. */
  private renew(): void {
    const { panes } = this.core.groups;
    let kept = 0;
    for (const each of this.registered) {
      const { entry, pane } = each;
      if (pane === undefined || panes.get(pane.start) !== pane) {
        this.floatsOf(entry, ENTRY.number, Number.NaN);
      } else {
        this.tableOf(entry, pane);
        this.registered[kept++] = each;
      }
    }
    this.registered.length = kept;
  }

  private begin(): void {
    const { core, words, floats } = this;
    const { groups, keys } = core;
    const { lengths } = keys.store;
    floats[NEWEST] = core.newest;
    floats[NEXT_DUE] = this.source.dueAt();
    words[WORD.nextSlot] = groups.next;
    words[WORD.capacity] = groups.ids.length;
    words[WORD.freeList] = groups.free.byteOffset;
    words[WORD.free] = groups.freeCount;
    words[WORD.idMax] = groups.idSpace - 1;
    words[WHERE.slotIds] = groups.ids.byteOffset;
    words[WHERE.touched] = groups.touched.byteOffset;
    words[WHERE.lengths] = lengths.byteOffset;
    words[WHERE.lengthsSize] = lengths.length;
    words[WHERE.freshCount] = 0;
  }

  /** Takes over what groups were made. */
  private settle(): void {
    const { core, words, ring, fresh } = this;
    const { groups, keys } = core;
    groups.next = words[WORD.nextSlot] as number;
    groups.freeCount = words[WORD.free] as number;
    for (let i = 0; i < (words[WHERE.freshCount] as number); i++) {
      const id = core.remember(fresh[2 * i] as number);
      const at = ((fresh[2 * i + 1] as number) - ring.byteOffset) >> 3;
      this.ringFloats[at + ENTRY.bytes] = (this.ringFloats[at + ENTRY.bytes] as number) + keys.store.lengthOf(id);
    }
    for (const { entry, pane } of this.registered) {
      if (pane === undefined) continue;
      const bytes = this.ringFloats[(entry * ENTRY_WORDS) / 2 + ENTRY.bytes] as number;
      groups.count(pane, ring[entry * ENTRY_WORDS + ENTRY.made] as number, bytes);
      this.floatsOf(entry, ENTRY.bytes, 0);
      ring[entry * ENTRY_WORDS + ENTRY.made] = 0;
    }
  }

  private register(time: number, rowNumber: number): void {
    const { core } = this;
    const { offset, size } = core.windowTimes;
    const start = windowStart(time, core.windowTimes, rowNumber);
    const { pane, closes } = this.source.paneAt(start, core.newest);
    const number = Math.floor((time - offset) / size);
    const entry = Number(BigInt.asUintN(6, BigInt(number)));
    this.registered = this.registered.filter((each) => each.entry !== entry);
    this.registered.push({ entry, pane });
    this.floatsOf(entry, ENTRY.number, number);
    this.floatsOf(entry, ENTRY.closes, closes);
    this.floatsOf(entry, ENTRY.bytes, 0);
    this.ring[entry * ENTRY_WORDS + ENTRY.made] = 0;
    if (pane === undefined) this.ring[entry * ENTRY_WORDS + ENTRY.table] = 0;
    else this.tableOf(entry, pane);
  }

  private makeRoom(time: number): void {
    const { groups, windowTimes } = this.core;
    const start = windowStart(time, windowTimes);
    groups.reserve();
    const here = this.registered.find(({ pane }) => pane?.start === start);
    if (here?.pane === undefined) return;
    groups.reserveIn(here.pane);
    this.tableOf(here.entry, here.pane);
  }

  private tableOf(entry: number, { table, count }: Pane): void {
    const at = entry * ENTRY_WORDS;
    this.ring[at + ENTRY.table] = table.byteOffset;
    this.ring[at + ENTRY.mask] = table.length - 1;
    this.ring[at + ENTRY.room] = (table.length >> 1) - count;
  }

  private floatsOf(entry: number, part: number, value: number): void {
    this.ringFloats[(entry * ENTRY_WORDS) / 2 + part] = value;
  }
}
