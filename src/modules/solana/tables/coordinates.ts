import { allocate, Output, OutputColumn, Type } from "../../../sandbox/sdk/index";
import { Block } from "../block";
import { Transaction } from "../transaction";

/** Columns that every table but that of blocks begins with: where a row stands in the chain. */
@unmanaged
export class Coordinates {
  static readonly COUNT: i32 = 4;
  private slot: OutputColumn;
  private time: OutputColumn;
  private tx: OutputColumn;
  private signature: OutputColumn;

  static of(output: Output): Coordinates {
    const self = changetype<Coordinates>(allocate(offsetof<Coordinates>()));
    self.slot = output.add("slot", Type.U64, false);
    self.time = output.add("time", Type.TIMESTAMP, true);
    self.tx = output.add("tx", Type.U32, false);
    self.signature = output.add("signature", Type.UTF8, false);
    return self;
  }

  push(block: Block, transaction: Transaction): void {
    this.slot.push<u64>(block.slot);
    pushTime(this.time, block);
    this.tx.push<u32>(<u32>transaction.index);
    this.signature.pushBytes(transaction.idText(), <usize>transaction.idLength);
  }
}

/** The time of a block in microseconds, where the node says it. */
export function pushTime(column: OutputColumn, block: Block): void {
  if (block.hasTime) column.push<i64>(block.time * 1_000_000);
  else column.pushNull();
}
