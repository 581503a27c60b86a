import { allocate } from "../../../sandbox/sdk/index";
import { Block } from "../block";
import { Instruction, Transaction } from "../transaction";

/** Goes through the instructions of a transaction in the order in which they ran: each before those that it led to. */
@unmanaged
export class Walk {
  private block: Block;
  private outer: i32;
  private outerEnd: i32;
  private inner: i32;
  private innerEnd: i32;
  private current: i32;
  /** Where it is, once {@link next} has returned true. */
  instruction: Instruction;

  static of(block: Block, transaction: Transaction): Walk {
    const self = changetype<Walk>(allocate(offsetof<Walk>()));
    self.block = block;
    self.outer = transaction.firstInstruction;
    self.outerEnd = transaction.firstInstruction + transaction.instructionCount;
    self.inner = transaction.firstInner;
    self.innerEnd = transaction.firstInner + transaction.innerCount;
    self.current = -1;
    return self;
  }

  next(): bool {
    if (this.inner < this.innerEnd) {
      const candidate = this.block.innerInstruction(this.inner);
      if (candidate.outer == this.current) {
        this.inner++;
        this.instruction = candidate;
        return true;
      }
    }
    if (this.outer == this.outerEnd) return false;
    this.current++;
    this.instruction = this.block.instruction(this.outer++);
    return true;
  }
}
