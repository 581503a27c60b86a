import { BinaryError } from "../wasm/binary.ts";
import type { ModuleLimits } from "../wasm/limits.ts";
import type { ModuleShape } from "../wasm/module.ts";
import { VALUE_TYPES } from "../wasm/module.ts";
import { FLOW, IMMEDIATE, OPCODES, PREFIX_MISC, PREFIX_SIMD, refusedFeature, SPECIAL, TYPE } from "../wasm/opcodes.ts";
import { BLOCK } from "./control-stack.ts";
import { COSTS } from "./cost-table.ts";
import { EventScan } from "./event-scan.ts";
import { EVENT, type ScannedFunction } from "./events.ts";
import { IntList } from "./int-list.ts";
import { EXACT } from "./nan-flow.ts";

import { isFloat, kindOf, tableType } from "./value-types.ts";

/**
 * Passes over the bodies of a valid module once: finds what metering needs, and refuses instructions that are not allowed.
 * Throws {@link BinaryError}.
 */
export class FunctionScanner extends EventScan {
  readonly canonAt = new IntList();
  readonly canonKind = new IntList();
  private readonly limits: ModuleLimits;

  /** `canonical`: whether NaNs are made canonical. */
  constructor(shape: ModuleShape, limits: ModuleLimits, canonical: boolean) {
    super(shape, canonical);
    this.limits = limits;
  }

  /** Scans the module's own function of that number, imported functions not counted. Functions are scanned in order. */
  scan(own: number): ScannedFunction {
    const { shape, code } = this;
    const range = shape.bodies[own];
    const type = shape.types[shape.functionTypes[shape.importedFunctions + own] ?? -1];
    if (range === undefined || type === undefined) throw new BinaryError(`lacks function ${own}`);
    code.seek(range.locals, range.end);
    const declarations = this.declareLocals(type.parameters);
    this.clear();
    this.cost = 0;
    this.total = 0;
    const events = this.events.kind.length;
    const canon = this.canonAt.length;
    this.flow.begin(this.localCount, type.parameters.length);
    this.control.begin(type.results);
    const loops = this.body();
    if (code.at !== range.end) throw new BinaryError(`has bytes after the end of function ${own}`);
    this.flow.end(this.canonAt, this.canonKind);
    let locals = 0;
    for (let i = 0; i < this.localCount; i++) locals += this.localTypes[i] === TYPE.v128 ? 2 : 1;
    return {
      declarations,
      end: range.end,
      locals: this.localCount,
      frame: locals + this.weightMax,
      events: { from: events, to: this.events.kind.length },
      canon: { from: canon, to: this.canonAt.length },
      hasLoop: loops > 0,
      cost: this.total,
    };
  }

  private declareLocals(parameters: Uint8Array): ScannedFunction["declarations"] {
    const { code } = this;
    this.localCount = 0;
    for (const type of parameters) this.addLocals(tableType(type), 1);
    const groups = code.u32();
    const from = code.at;
    for (let i = 0; i < groups; i++) {
      const count = code.u32();
      this.addLocals(tableType(code.byte()), count);
    }
    return { groups, from, to: code.at };
  }

  private addLocals(type: number, count: number): void {
    const total = this.localCount + count;
    if (total > this.limits.locals) throw new BinaryError(`has a function with more than ${this.limits.locals} locals`);
    if (total > this.localTypes.length) {
      const larger = new Uint8Array(Math.max(total, 2 * this.localTypes.length));
      larger.set(this.localTypes);
      this.localTypes = larger;
    }
    this.localTypes.fill(type, this.localCount, total);
    this.localCount = total;
  }

  /** Reads instructions to the end of the function. Returns the number of loops. */
  private body(): number {
    const { code } = this;
    const { immediates, pops, pushes, flows, specials, allowed } = OPCODES;
    let loops = 0;
    for (;;) {
      const at = code.at;
      let op = code.byte();
      if (op >= 0xfb) op = this.prefixed(op);
      if (allowed[op] === 0) throw new BinaryError(`uses ${refusedFeature(0, op)}: instruction 0x${op.toString(16)}`);
      const cost = COSTS[op] as number;
      this.cost += cost;
      const special = specials[op] as number;
      if (special !== SPECIAL.none) {
        if (special === SPECIAL.loop) loops++;
        if (this.special(special, op, at)) return loops;
        continue;
      }
      const immediate = immediates[op] as number;
      const flow = flows[op] as number;
      if (immediate !== IMMEDIATE.none && flow !== FLOW.constant) code.skip(immediate);
      if (flow !== FLOW.none) {
        this.float(op, flow, immediate);
        continue;
      }
      this.drop(pops[op] as number);
      const push = pushes[op] as number;
      if (push !== TYPE.none) this.push(push, EXACT);
    }
  }

  private prefixed(prefix: number): number {
    const number = this.code.u32();
    if (prefix === 0xfc && number < 0x100) {
      if (OPCODES.allowed[PREFIX_MISC + number] === 1) return PREFIX_MISC + number;
    } else if (prefix === 0xfd && number < 0x100) {
      if (OPCODES.allowed[PREFIX_SIMD + number] === 1) return PREFIX_SIMD + number;
    }
    throw new BinaryError(
      `uses ${refusedFeature(prefix, number)}: instruction 0x${prefix.toString(16)} 0x${number.toString(16)}`,
    );
  }

  // ---- Instructions of their own kind.

  /** True at the end of the function. */
  private special(special: number, op: number, at: number): boolean {
    switch (special) {
      case SPECIAL.block:
      case SPECIAL.loop:
      case SPECIAL.if:
        this.enter(special, at);
        return false;
      case SPECIAL.else:
        this.otherwise(at);
        return false;
      case SPECIAL.end:
        return this.leave(at);
      case SPECIAL.unreachable:
      case SPECIAL.br:
      case SPECIAL.brTable:
      case SPECIAL.return:
        this.jump(special, at);
        return false;
      case SPECIAL.brIf:
        this.branch(at);
        return false;
      case SPECIAL.call:
      case SPECIAL.callIndirect:
      case SPECIAL.returnCall:
      case SPECIAL.returnCallIndirect:
        this.call(special, at);
        return false;
      default:
        this.variable(special, op, at);
        return false;
    }
  }

  private enter(special: number, at: number): void {
    const { control } = this;
    const [parameters, results] = this.blockType();
    if (control.depth >= this.limits.nesting)
      throw new BinaryError(`has more than ${this.limits.nesting} blocks inside each other`);
    if (special === SPECIAL.if) this.pop();
    this.event(special === SPECIAL.loop ? EVENT.loop : special === SPECIAL.if ? EVENT.if : EVENT.block, 0, at);
    // Parameters are on the stack already and belong to the block; on the way round a loop others take their place.
    this.popSeen(parameters.length);
    const base = this.height;
    const kind = special === SPECIAL.loop ? BLOCK.loop : special === SPECIAL.if ? BLOCK.if : BLOCK.plain;
    control.push(kind, base, parameters, results, this.holderOf(kind, results));
    this.pushTypes(parameters);
  }

  /** A block with one float as its result holds whatever its branches bring; more results are exact. */
  private holderOf(kind: number, results: Uint8Array): number {
    if (!this.canonical || results.length !== 1 || kind === BLOCK.loop) return -1;
    return isFloat(tableType(results[0] as number)) ? this.flow.addHolder() : -1;
  }

  private blockType(): readonly [parameters: Uint8Array, results: Uint8Array] {
    const byte = this.code.peek();
    if (byte === 0x40) {
      this.code.byte();
      return [NOTHING, NOTHING];
    }
    const single = SINGLES.get(byte);
    if (single !== undefined) {
      this.code.byte();
      return [NOTHING, single];
    }
    // A single byte from 0x41 on is a negative number: another value type, which is none of those allowed.
    if (byte > 0x40 && byte < 0x80) throw new BinaryError(`uses the value type 0x${byte.toString(16)}`);
    const type = this.shape.types[this.code.u32()];
    if (type === undefined) throw new BinaryError("has a block of a type it lacks");
    return [type.parameters, type.results];
  }

  private otherwise(at: number): void {
    const { control } = this;
    const frame = control.top;
    this.bring(frame, frame.results.length, true);
    this.event(EVENT.else, 0, at);
    this.cut(frame.base);
    control.otherwise();
    this.markReach();
    this.pushTypes(frame.parameters);
  }

  private leave(at: number): boolean {
    const { control } = this;
    const frame = control.top;
    this.bring(frame, frame.results.length, true);
    // Where its condition is false, an `if` without `else` results in its parameters, which are exact.
    if (frame.kind === BLOCK.if && frame.holder >= 0) this.flow.fill(frame.holder, EXACT);
    this.cut(frame.base);
    const isLast = control.depth === 1;
    this.event(EVENT.end, 0, at);
    control.pop();
    if (isLast) return true;
    this.markReach();
    if (frame.holder >= 0) {
      const type = tableType(frame.results[0] as number);
      this.push(type, this.flow.read(this.code.at, frame.holder, kindOf(type, 32), control.loops));
    } else this.pushTypes(frame.results);
    return false;
  }

  private jump(special: number, at: number): void {
    const { code, control } = this;
    let leaves = 0;
    if (special === SPECIAL.brTable) {
      this.pop();
      const count = code.u32();
      if (count > this.limits.branchTargets)
        throw new BinaryError(`has a br_table of ${count} targets, more than ${this.limits.branchTargets}`);
      for (let i = 0; i <= count; i++) leaves = Math.max(leaves, this.target(code.u32()));
    } else if (special === SPECIAL.br) leaves = this.target(code.u32());
    else if (special === SPECIAL.return) leaves = this.target(control.depth - 1);
    else leaves = control.depth - 1;
    this.event(special === SPECIAL.return ? EVENT.return : EVENT.jump, leaves, at);
    this.die();
  }

  /** Values go to a branch's target; how many blocks the branch leaves is returned. */
  private target(label: number): number {
    const { control } = this;
    const frame = control.at(label);
    if (!control.top.isDead) {
      this.bring(frame, frame.labelTypes.length, false);
      frame.isReached = true;
    }
    return label;
  }

  private branch(at: number): void {
    const label = this.code.u32();
    this.pop();
    this.event(EVENT.branch, this.target(label), at);
  }
}

const NOTHING = new Uint8Array(0);
const SINGLES: ReadonlyMap<number, Uint8Array> = new Map(
  Array.from(VALUE_TYPES.keys(), (code) => [code, Uint8Array.of(code)]),
);
