import type { WindowKind, WindowTimes } from "./plan.ts";

/** A window: its bounds in microseconds. */
export interface Bounds {
  readonly start: number;
  readonly end: number;
}

/** Which windows of fixed times a pane belongs to. */
export class PaneLayout {
  private readonly kind: WindowKind;
  private readonly times: WindowTimes;

  constructor(kind: WindowKind, times: WindowTimes) {
    this.kind = kind;
    this.times = times;
  }

  /** Windows that the pane that begins at a time belongs to. */
  windowsOf(pane: number): Bounds[] {
    const { size, whole, step, offset } = this.times;
    if (this.kind === "tumble") return [{ start: pane, end: pane + size }];
    const found: Bounds[] = [];
    if (this.kind === "hop") {
      const last = Math.floor((pane - offset) / step) * step + offset;
      for (let start = last; start + whole > pane; start -= step) found.push({ start, end: start + whole });
    } else {
      const start = Math.floor((pane - offset) / whole) * whole + offset;
      for (let end = pane + size; end <= start + whole; end += step) found.push({ start, end });
    }
    return found;
  }

  /** End of its last window. */
  lastEnd(pane: number): number {
    return this.windowsOf(pane).reduce((last, { end }) => Math.max(last, end), Number.NEGATIVE_INFINITY);
  }

  /** End of its first window. */
  firstEnd(pane: number): number {
    return this.windowsOf(pane).reduce((first, { end }) => Math.min(first, end), Number.POSITIVE_INFINITY);
  }
}
