import { Output, Type } from "../../../sandbox/sdk/index";
import { Place } from "../../json/place";
import { Block } from "../block";
import { List } from "../list";
import { Transaction } from "../transaction";
import { Label, pushInteger, pushJson, pushKey } from "./cells";
import { Coordinates } from "./coordinates";

/** One row a transaction. */
export function writeTransactions(blocks: List): usize {
  let rows = 0;
  for (let i = 0; i < blocks.count; i++) rows += changetype<Block>(blocks.record(i)).transactions.count;
  const output = Output.of(rows, 14);
  const coordinates = Coordinates.of(output);
  const version = output.add("version", Type.UTF8, false);
  const signer = output.add("signer", Type.UTF8, false);
  const program = output.add("program", Type.UTF8, true);
  const isVote = output.add("vote", Type.BOOL, false);
  const failed = output.add("failed", Type.BOOL, false);
  const err = output.add("err", Type.UTF8, true);
  const fee = output.add("fee", Type.U64, false);
  const units = output.add("compute_units", Type.U64, true);
  const signatures = output.add("signatures", Type.U32, false);
  const instructions = output.add("instructions", Type.U32, false);
  const legacy = Label.of("legacy");
  const zero = Label.of("0");
  for (let i = 0; i < blocks.count; i++) {
    const block = changetype<Block>(blocks.record(i));
    Place.at(block.slot, block.start, block.end);
    for (let n = 0; n < block.transactions.count; n++) {
      const transaction = block.transaction(n);
      coordinates.push(block, transaction);
      (transaction.version < 0 ? legacy : zero).push(version);
      pushKey(signer, transaction, 0);
      pushKey(program, transaction, mainProgram(block, transaction));
      isVote.pushBool(isSimpleVote(block, transaction));
      failed.pushBool(transaction.isFailed);
      pushJson(err, transaction.errAt);
      pushInteger(fee, transaction.feeAt);
      pushInteger(units, transaction.unitsAt);
      signatures.push<u32>(<u32>transaction.signatureCount);
      instructions.push<u32>(<u32>transaction.instructionCount);
    }
  }
  return output.finish();
}

const BUDGET = "ComputeBudget111111111111111111111111111111";
const VOTE = "Vote111111111111111111111111111111111111111";

let budget: Label | null = null;
let vote: Label | null = null;

/** Number of the key of the first program that is not the compute budget's, or else of that; -1 without instructions. */
function mainProgram(block: Block, transaction: Transaction): i32 {
  if (budget === null) budget = Label.of(BUDGET);
  for (let i = 0; i < transaction.instructionCount; i++) {
    const program = block.instruction(transaction.firstInstruction + i).program;
    if (!(budget as Label).isKey(transaction.key(program))) return program;
  }
  return transaction.instructionCount > 0 ? block.instruction(transaction.firstInstruction).program : -1;
}

/** What agave counts as a simple vote: legacy, at most two signatures, one instruction, of the vote program. */
function isSimpleVote(block: Block, transaction: Transaction): bool {
  if (transaction.version >= 0 || transaction.signatureCount > 2 || transaction.instructionCount != 1) return false;
  if (vote === null) vote = Label.of(VOTE);
  return (vote as Label).isKey(transaction.key(block.instruction(transaction.firstInstruction).program));
}
