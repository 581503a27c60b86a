import { BinaryError } from "../wasm/binary.ts";
import type { ModuleLimits } from "../wasm/limits.ts";
import type { ModuleShape } from "../wasm/module.ts";
import { VALUE_TYPES } from "../wasm/module.ts";
import { FLOW, IMMEDIATE, OPCODES, PREFIX_MISC, PREFIX_SIMD, refusedFeature, SPECIAL, TYPE } from "../wasm/opcodes.ts";
import { CodeReader } from "./code-reader.ts";
import { BLOCK, ControlStack, type Frame } from "./control-stack.ts";
import { COSTS } from "./cost-table.ts";
import { IntList } from "./int-list.ts";
import { CANON, EXACT, NanFlow, NUMBER } from "./nan-flow.ts";

/** What happens at a point of a function that metering has to know of. */
export const EVENT = {
  block: 0,
  loop: 1,
  if: 2,
  else: 3,
  end: 4,
  /** A branch that is always taken: `br`, `br_table`, `unreachable`, `return`. `argument`: how many blocks it leaves at most. */
  jump: 5,
  /** A branch that may be taken. `argument`: how many blocks it leaves. */
  branch: 6,
  return: 7,
  /** `argument`: the function, or the type. */
  call: 8,
  callIndirect: 9,
  returnCall: 10,
  returnCallIndirect: 11,
  memoryGrow: 12,
  tableGrow: 13,
  bulkMemory: 14,
  bulkTable: 15,
} as const;

/** The events of all functions of a module, one after the other. */
export interface Events {
  readonly kind: IntList;
  readonly argument: IntList;
  /** Where the instruction begins, and where the next one does. */
  readonly from: IntList;
  readonly to: IntList;
  /** Fuel of the instructions after the event before, up to and with this one. */
  readonly cost: IntList;
  /** 1 where no execution gets to what follows the event. */
  readonly dead: IntList;
}

/** What one pass over a function finds. Ranges are half open. */
export interface ScannedFunction {
  /** Bytes of the declarations of locals, and where the instructions begin and end. */
  readonly declarations: { readonly groups: number; readonly from: number; readonly to: number };
  readonly end: number;
  readonly locals: number;
  /** Values that a call keeps on the stack: locals and operands, a vector counted twice. */
  readonly frame: number;
  readonly events: { readonly from: number; readonly to: number };
  /** Places where NaNs are made canonical. */
  readonly canon: { readonly from: number; readonly to: number };
  readonly hasLoop: boolean;
  /** Fuel of all instructions, each once. */
  readonly cost: number;
}

/** Things that a module's code does and that a host has to know of. */
export interface CodeFacts {
  usesTailCalls: boolean;
  /** It writes to tables, or drops segments: state beyond memory and globals. */
  changesTables: boolean;
  readonly referenced: Set<number>;
}

/**
 * Passes over the bodies of a valid module once: finds what metering needs, and refuses instructions that are not allowed.
 * Throws {@link BinaryError}.
 */
export class FunctionScanner {
  readonly events: Events = {
    kind: new IntList(1024),
    argument: new IntList(1024),
    from: new IntList(1024),
    to: new IntList(1024),
    cost: new IntList(1024),
    dead: new IntList(1024),
  };
  readonly canonAt = new IntList();
  readonly canonKind = new IntList();
  readonly facts: CodeFacts = { usesTailCalls: false, changesTables: false, referenced: new Set() };
  private readonly shape: ModuleShape;
  private readonly limits: ModuleLimits;
  private readonly canonical: boolean;
  private readonly code: CodeReader;
  private readonly flow = new NanFlow();
  private readonly control = new ControlStack();
  private readonly globalTypes: Uint8Array;
  private localTypes = new Uint8Array(256);
  private localCount = 0;
  // The operand stack: types, and what is known of the bits of floats.
  private types = new Uint8Array(1024);
  private values = new Int32Array(1024);
  private height = 0;
  private weight = 0;
  private weightMax = 0;
  private cost = 0;
  private total = 0;

  /** `canonical`: whether NaNs are made canonical. */
  constructor(shape: ModuleShape, limits: ModuleLimits, canonical: boolean) {
    this.shape = shape;
    this.limits = limits;
    this.canonical = canonical;
    this.code = new CodeReader(shape.bytes);
    this.globalTypes = Uint8Array.from(shape.globals, ({ type }) => tableType(type));
  }

  /** Scans the module's own function of that number, imported functions not counted. Functions are scanned in order. */
  scan(own: number): ScannedFunction {
    const { shape, code } = this;
    const range = shape.bodies[own];
    const type = shape.types[shape.functionTypes[shape.importedFunctions + own] ?? -1];
    if (range === undefined || type === undefined) throw new BinaryError(`lacks function ${own}`);
    code.seek(range.locals, range.end);
    const declarations = this.declareLocals(type.parameters);
    this.height = 0;
    this.weight = 0;
    this.weightMax = 0;
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

  // ---- The operand stack. What lies below a block's base belongs to the blocks around it; in dead code it is made up.

  private push(type: number, value: number): void {
    const height = this.height;
    if (height === this.types.length) {
      const types = new Uint8Array(2 * height);
      types.set(this.types);
      this.types = types;
      const values = new Int32Array(2 * height);
      values.set(this.values);
      this.values = values;
    }
    this.types[height] = type;
    this.values[height] = value;
    this.height = height + 1;
    this.weight += type === TYPE.v128 ? 2 : 1;
    if (this.weight > this.weightMax) this.weightMax = this.weight;
  }

  private pop(): number {
    if (this.height === this.control.top.base) return EXACT;
    this.height--;
    this.weight -= this.types[this.height] === TYPE.v128 ? 2 : 1;
    return this.values[this.height] as number;
  }

  private drop(count: number): void {
    for (let i = 0; i < count; i++) this.pop();
  }

  private popSeen(count: number): void {
    for (let i = 0; i < count; i++) this.flow.escape(this.pop());
  }

  private cut(base: number): void {
    while (this.height > base) {
      this.height--;
      this.weight -= this.types[this.height] === TYPE.v128 ? 2 : 1;
    }
  }

  private pushTypes(types: Uint8Array): void {
    for (const type of types) this.push(tableType(type), EXACT);
  }

  // ---- Floats.

  private float(op: number, flow: number, immediate: number): void {
    const { flow: flows, code } = this;
    const count = OPCODES.pops[op] as number;
    const push = OPCODES.pushes[op] as number;
    const width = OPCODES.widthsIn[op] as number;
    const kind = kindOf(push, OPCODES.widthsOut[op] as number);
    if (!this.canonical || this.control.top.isDead) {
      if (flow === FLOW.constant) code.skip(immediate);
      this.drop(count);
      if (push !== TYPE.none) this.push(push, EXACT);
      return;
    }
    let value = EXACT;
    switch (flow) {
      case FLOW.escape:
        this.popSeen(count);
        break;
      case FLOW.safe:
        this.popUsed(count, width);
        break;
      case FLOW.number:
        // What a conversion from integers takes are bits, also where a vector of floats is taken for one of integers.
        this.popSeen(count);
        value = NUMBER;
        break;
      case FLOW.constant:
        value = code.constantIsNumber(immediate) ? NUMBER : EXACT;
        break;
      case FLOW.arithmetic:
        this.popUsed(count, width);
        value = flows.arithmetic(code.at, kind, this.control.loops);
        break;
      case FLOW.copysign:
        flows.escape(this.pop());
        value = this.merge(1, width, kind);
        break;
      default:
        value = this.merge(count, width, kind);
    }
    if (push !== TYPE.none) this.push(push, value);
  }

  private popUsed(count: number, width: number): void {
    for (let i = 0; i < count; i++) this.flow.use(this.pop(), width);
  }

  /** The value that is one of so many operands, bit for bit: it is read at this place, from a holder of its own. */
  private merge(count: number, width: number, kind: number): number {
    const { flow } = this;
    const first = this.pop();
    const second = count > 1 ? this.pop() : NUMBER;
    if (first <= NUMBER && second <= NUMBER) return Math.min(first, second);
    flow.use(first, width);
    flow.use(second, width);
    const holder = flow.addHolder(width);
    flow.fill(holder, first);
    flow.fill(holder, second);
    return flow.read(this.code.at, holder, kind, this.control.loops);
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

  private event(kind: number, argument: number, at: number): void {
    const { events } = this;
    events.kind.push(kind);
    events.argument.push(argument);
    events.from.push(at);
    events.to.push(this.code.at);
    events.cost.push(this.cost);
    events.dead.push(this.control.top.isDead ? 1 : 0);
    this.total += this.cost;
    this.cost = 0;
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

  /** Values on top of the stack go to the end of a block (or, of a loop, to its beginning), where they are taken from. */
  private bring(frame: Frame, count: number, isTaken: boolean): void {
    const { flow, control } = this;
    if (count === 0 || control.top.isDead) return;
    if (frame.holder >= 0 && this.height > control.top.base) {
      flow.fill(frame.holder, this.values[this.height - 1] as number);
      if (isTaken) this.pop();
      return;
    }
    for (let i = 1; i <= count && this.height - i >= control.top.base; i++)
      flow.escape(this.values[this.height - i] as number);
    if (isTaken) this.drop(count);
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

  private die(): void {
    this.cut(this.control.top.base);
    this.control.die();
    this.markReach();
  }

  /** The last event changed what can be reached. */
  private markReach(): void {
    const { dead } = this.events;
    dead.data[dead.length - 1] = this.control.top.isDead ? 1 : 0;
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

  private call(special: number, at: number): void {
    const { code, shape, facts } = this;
    const isIndirect = special === SPECIAL.callIndirect || special === SPECIAL.returnCallIndirect;
    const isTail = special === SPECIAL.returnCall || special === SPECIAL.returnCallIndirect;
    const index = code.u32();
    if (isIndirect) {
      code.u32();
      this.pop();
    }
    const type = shape.types[isIndirect ? index : (shape.functionTypes[index] ?? -1)];
    if (type === undefined) throw new BinaryError("calls a function that it lacks");
    this.popSeen(type.parameters.length);
    if (isTail) {
      facts.usesTailCalls = true;
      this.event(isIndirect ? EVENT.returnCallIndirect : EVENT.returnCall, index, at);
      this.die();
      return;
    }
    this.event(isIndirect ? EVENT.callIndirect : EVENT.call, index, at);
    this.pushTypes(type.results);
  }

  private variable(special: number, op: number, at: number): void {
    const { code, facts } = this;
    switch (special) {
      case SPECIAL.drop:
        this.pop();
        return;
      case SPECIAL.selectTyped:
        for (let count = code.u32(); count > 0; count--) tableType(code.byte());
        this.select();
        return;
      case SPECIAL.select:
        this.select();
        return;
      case SPECIAL.localGet:
      case SPECIAL.localSet:
      case SPECIAL.localTee:
        this.local(special, code.u32());
        return;
      case SPECIAL.globalGet:
        this.push(this.globalType(code.u32()), EXACT);
        return;
      case SPECIAL.globalSet:
        code.u32();
        this.popSeen(1);
        return;
      case SPECIAL.refNull:
        tableType(code.byte());
        this.push(TYPE.reference, EXACT);
        return;
      case SPECIAL.refFunc:
        facts.referenced.add(code.u32());
        this.push(TYPE.reference, EXACT);
        return;
      default:
        this.bulk(special, op, at);
    }
  }

  private bulk(special: number, op: number, at: number): void {
    const { code, facts } = this;
    const isMemory = special === SPECIAL.memoryGrow || special === SPECIAL.bulkMemory;
    if (!isMemory && special !== SPECIAL.tableGet) facts.changesTables = true;
    code.u32();
    switch (special) {
      case SPECIAL.tableGet:
        this.drop(1);
        this.push(TYPE.reference, EXACT);
        return;
      case SPECIAL.tableSet:
        this.drop(2);
        return;
      case SPECIAL.dropSegment:
        return;
      case SPECIAL.memoryGrow:
        this.drop(1);
        this.event(EVENT.memoryGrow, 0, at);
        this.push(TYPE.i32, EXACT);
        return;
      case SPECIAL.tableGrow:
        this.drop(2);
        this.event(EVENT.tableGrow, 0, at);
        this.push(TYPE.i32, EXACT);
        return;
      default: {
        if (OPCODES.immediates[op] === IMMEDIATE.indices) code.u32();
        this.drop(3);
        this.event(special === SPECIAL.bulkMemory ? EVENT.bulkMemory : EVENT.bulkTable, 0, at);
      }
    }
  }

  private select(): void {
    this.pop();
    const type = this.height > this.control.top.base ? (this.types[this.height - 1] as number) : TYPE.i32;
    if (!this.canonical || !isFloat(type) || this.control.top.isDead) {
      this.drop(2);
      this.push(type, EXACT);
      return;
    }
    const first = this.pop();
    const second = this.pop();
    if (first <= NUMBER && second <= NUMBER) {
      this.push(type, Math.min(first, second));
      return;
    }
    const holder = this.flow.addHolder();
    this.flow.fill(holder, first);
    this.flow.fill(holder, second);
    this.push(type, this.flow.read(this.code.at, holder, kindOf(type, 32), this.control.loops));
  }

  private local(special: number, index: number): void {
    const { flow, control } = this;
    if (index >= this.localCount) throw new BinaryError("uses a local that it lacks");
    const type = this.localTypes[index] as number;
    const isTracked = this.canonical && isFloat(type) && !control.top.isDead;
    if (special === SPECIAL.localGet) {
      this.push(type, isTracked ? flow.read(this.code.at, index, kindOf(type, 32), control.loops) : EXACT);
      return;
    }
    const value = this.pop();
    if (isTracked) flow.fill(index, value);
    if (special === SPECIAL.localTee) this.push(type, value);
  }

  private globalType(index: number): number {
    const type = this.globalTypes[index];
    if (type === undefined) throw new BinaryError("uses a global that it lacks");
    return type;
  }
}

const NOTHING = new Uint8Array(0);
const SINGLES: ReadonlyMap<number, Uint8Array> = new Map(
  Array.from(VALUE_TYPES.keys(), (code) => [code, Uint8Array.of(code)]),
);

function tableType(code: number): number {
  const found = VALUE_TYPES.get(code);
  if (found === undefined) throw new BinaryError(`uses the value type 0x${code.toString(16)}`);
  return found.type;
}

function isFloat(type: number): boolean {
  return type === TYPE.f32 || type === TYPE.f64 || type === TYPE.v128;
}

function kindOf(type: number, width: number): number {
  if (type === TYPE.f32) return CANON.f32;
  if (type === TYPE.f64) return CANON.f64;
  return width === 64 ? CANON.f64x2 : CANON.f32x4;
}
