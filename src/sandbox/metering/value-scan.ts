import { BinaryError } from "../wasm/binary.ts";
import type { ModuleShape } from "../wasm/module.ts";
import { FLOW, OPCODES, SPECIAL, TYPE } from "../wasm/opcodes.ts";
import { CodeReader } from "./code-reader.ts";
import { ControlStack, type Frame } from "./control-stack.ts";
import { EXACT, NanFlow, NUMBER } from "./nan-flow.ts";
import { isFloat, kindOf, tableType } from "./value-types.ts";

/** The values of a function while it is passed over: operands and locals, their types, and what is known of the bits of floats. */
export abstract class ValueScan {
  protected readonly canonical: boolean;
  protected readonly code: CodeReader;
  protected readonly flow = new NanFlow();
  protected readonly control = new ControlStack();
  private readonly globalTypes: Uint8Array;
  protected localTypes = new Uint8Array(256);
  protected localCount = 0;
  // The operand stack: types, and what is known of the bits of floats.
  private types = new Uint8Array(1024);
  private values = new Int32Array(1024);
  protected height = 0;
  private weight = 0;
  protected weightMax = 0;

  protected constructor(shape: ModuleShape, canonical: boolean) {
    this.canonical = canonical;
    this.code = new CodeReader(shape.bytes);
    this.globalTypes = Uint8Array.from(shape.globals, ({ type }) => tableType(type));
  }

  /** Begins a function. */
  protected clear(): void {
    this.height = 0;
    this.weight = 0;
    this.weightMax = 0;
  }

  // ---- The operand stack. What lies below a block's base belongs to the blocks around it; in dead code it is made up.

  protected push(type: number, value: number): void {
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

  protected pop(): number {
    if (this.height === this.control.top.base) return EXACT;
    this.height--;
    this.weight -= this.types[this.height] === TYPE.v128 ? 2 : 1;
    return this.values[this.height] as number;
  }

  protected drop(count: number): void {
    for (let i = 0; i < count; i++) this.pop();
  }

  protected popSeen(count: number): void {
    for (let i = 0; i < count; i++) this.flow.escape(this.pop());
  }

  protected cut(base: number): void {
    while (this.height > base) {
      this.height--;
      this.weight -= this.types[this.height] === TYPE.v128 ? 2 : 1;
    }
  }

  protected pushTypes(types: Uint8Array): void {
    for (const type of types) this.push(tableType(type), EXACT);
  }

  // ---- Floats.

  protected float(op: number, flow: number, immediate: number): void {
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

  protected popUsed(count: number, width: number): void {
    for (let i = 0; i < count; i++) this.flow.use(this.pop(), width);
  }

  /** The value that is one of so many operands, bit for bit: it is read at this place, from a holder of its own. */
  protected merge(count: number, width: number, kind: number): number {
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

  /** Values on top of the stack go to the end of a block (or, of a loop, to its beginning), where they are taken from. */
  protected bring(frame: Frame, count: number, isTaken: boolean): void {
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

  protected select(): void {
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

  protected local(special: number, index: number): void {
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

  protected globalType(index: number): number {
    const type = this.globalTypes[index];
    if (type === undefined) throw new BinaryError("uses a global that it lacks");
    return type;
  }
}
