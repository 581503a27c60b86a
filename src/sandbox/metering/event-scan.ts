import { BinaryError } from "../wasm/binary.ts";
import type { ModuleShape } from "../wasm/module.ts";
import { IMMEDIATE, OPCODES, SPECIAL, TYPE } from "../wasm/opcodes.ts";
import { type CodeFacts, EVENT, type Events } from "./events.ts";
import { IntList } from "./int-list.ts";
import { EXACT } from "./nan-flow.ts";
import { ValueScan } from "./value-scan.ts";
import { tableType } from "./value-types.ts";

/** The events of a module's functions, and the instructions that are one or that concern state: calls, variables, bulk work. */
export abstract class EventScan extends ValueScan {
  readonly events: Events = {
    kind: new IntList(1024),
    argument: new IntList(1024),
    from: new IntList(1024),
    to: new IntList(1024),
    cost: new IntList(1024),
    dead: new IntList(1024),
  };
  readonly facts: CodeFacts = { usesTailCalls: false, changesTables: false, referenced: new Set() };
  protected readonly shape: ModuleShape;
  protected cost = 0;
  protected total = 0;

  protected constructor(shape: ModuleShape, canonical: boolean) {
    super(shape, canonical);
    this.shape = shape;
  }

  protected event(kind: number, argument: number, at: number): void {
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

  protected die(): void {
    this.cut(this.control.top.base);
    this.control.die();
    this.markReach();
  }

  /** The last event changed what can be reached. */
  protected markReach(): void {
    const { dead } = this.events;
    dead.data[dead.length - 1] = this.control.top.isDead ? 1 : 0;
  }

  protected call(special: number, at: number): void {
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

  protected variable(special: number, op: number, at: number): void {
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
}
