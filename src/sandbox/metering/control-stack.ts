/** Kinds of blocks. */
export const BLOCK = { function: 0, plain: 1, loop: 2, if: 3 } as const;

/** A block that is open, while its function is read. */
export interface Frame {
  kind: number;
  /** Height of the operand stack below the block's own values. */
  base: number;
  parameters: Uint8Array;
  results: Uint8Array;
  /** What branches to the block bring: its results, or to a loop its parameters. */
  labelTypes: Uint8Array;
  /** Where the one float that the block results in is held, or -1. */
  holder: number;
  /** No execution gets here: it stands behind a jump. */
  isDead: boolean;
  /** The block stands in dead code as a whole. */
  isBuried: boolean;
  /** A branch leads to the block's end. */
  isReached: boolean;
  /** An arm before this one runs to its end. */
  hasOpenArm: boolean;
}

/** The blocks that are open at a point of a function, the function's own first. Frames are used again. */
export class ControlStack {
  private readonly frames: Frame[] = [];
  depth = 0;
  /** Loops around this point. */
  loops = 0;
  top: Frame = emptyFrame();

  /** Begins a function with those results. */
  begin(results: Uint8Array): void {
    this.depth = 0;
    this.loops = 0;
    this.push(BLOCK.function, 0, NO_TYPES, results, -1);
  }

  push(kind: number, base: number, parameters: Uint8Array, results: Uint8Array, holder: number): void {
    const isBuried = this.depth > 0 && this.top.isDead;
    let frame = this.frames[this.depth];
    if (frame === undefined) {
      frame = emptyFrame();
      this.frames.push(frame);
    }
    frame.kind = kind;
    frame.base = base;
    frame.parameters = parameters;
    frame.results = results;
    frame.labelTypes = kind === BLOCK.loop ? parameters : results;
    frame.holder = holder;
    frame.isDead = isBuried;
    frame.isBuried = isBuried;
    frame.isReached = false;
    frame.hasOpenArm = false;
    this.depth++;
    this.top = frame;
    if (kind === BLOCK.loop) this.loops++;
  }

  /** The block that a branch names: 0 is the innermost. */
  at(label: number): Frame {
    return this.frames[this.depth - 1 - label] ?? this.top;
  }

  /** What follows in this block is behind a jump. */
  die(): void {
    this.top.isDead = true;
  }

  /** From an `if` to its `else`. */
  otherwise(): void {
    const { top } = this;
    top.hasOpenArm = !top.isDead;
    top.isDead = top.isBuried;
    top.kind = BLOCK.plain;
  }

  /** Ends a block. What follows is dead when neither the block's end nor a branch leads there. */
  pop(): void {
    const { top } = this;
    if (top.kind === BLOCK.loop) this.loops--;
    // An `if` without `else` is passed when its condition is false; a branch to a loop goes back.
    const isOpen = !top.isDead || top.hasOpenArm || top.kind === BLOCK.if || (top.isReached && top.kind !== BLOCK.loop);
    this.depth--;
    if (this.depth === 0) return;
    this.top = this.frames[this.depth - 1] as Frame;
    if (!isOpen) this.top.isDead = true;
  }
}

const NO_TYPES = new Uint8Array(0);

function emptyFrame(): Frame {
  return {
    kind: BLOCK.plain,
    base: 0,
    parameters: NO_TYPES,
    results: NO_TYPES,
    labelTypes: NO_TYPES,
    holder: -1,
    isDead: false,
    isBuried: false,
    isReached: false,
    hasOpenArm: false,
  };
}
