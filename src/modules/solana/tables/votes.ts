import { allocate, Output, Type } from "../../../sandbox/sdk/index";
import { encodeBase58 } from "../base58";
import { Block } from "../block";
import { List } from "../list";
import { KEY_BYTES } from "../transaction";
import { readVote, Vote } from "../vote";
import { Label, pushKey } from "./cells";
import { Coordinates } from "./coordinates";
import { Walk } from "./walk";

/** One row a vote: an instruction of the vote program that votes, whatever else its transaction does. */
export function writeVotes(blocks: List): usize {
  const votes = List.of(offsetof<Vote>());
  const program = Label.of("Vote111111111111111111111111111111111111111");
  for (let i = 0; i < blocks.count; i++) {
    const block = changetype<Block>(blocks.record(i));
    for (let n = 0; n < block.transactions.count; n++) {
      const transaction = block.transaction(n);
      const walk = Walk.of(block, transaction);
      while (walk.next()) {
        const instruction = walk.instruction;
        if (!program.isKey(transaction.key(instruction.program))) continue;
        const vote = readVote(instruction);
        if (vote.kind < 0) continue;
        const kept = changetype<Vote>(votes.push());
        memory.copy(changetype<usize>(kept), changetype<usize>(vote), offsetof<Vote>());
        kept.block = i;
        kept.transaction = n;
      }
    }
  }
  return write(votes, blocks);
}

function write(votes: List, blocks: List): usize {
  const output = Output.of(votes.count, 13);
  const coordinates = Coordinates.of(output);
  const instruction = output.add("instruction", Type.U32, false);
  const account = output.add("vote_account", Type.UTF8, true);
  const authority = output.add("authority", Type.UTF8, true);
  const lastSlot = output.add("last_slot", Type.U64, true);
  const root = output.add("root", Type.U64, true);
  const slots = output.add("slots", Type.U32, false);
  const bankHash = output.add("bank_hash", Type.UTF8, false);
  const votedAt = output.add("voted_at", Type.TIMESTAMP, true);
  const failed = output.add("failed", Type.BOOL, false);
  const text = allocate(64);
  for (let i = 0; i < votes.count; i++) {
    const vote = changetype<Vote>(votes.record(i));
    const block = changetype<Block>(blocks.record(vote.block));
    const transaction = block.transaction(vote.transaction);
    coordinates.push(block, transaction);
    instruction.push<u32>(<u32>vote.outer);
    pushKey(account, transaction, vote.account);
    pushKey(authority, transaction, vote.authority);
    if (vote.slots > 0) lastSlot.push<u64>(vote.lastSlot);
    else lastSlot.pushNull();
    if (vote.hasRoot) root.push<u64>(vote.root);
    else root.pushNull();
    slots.push<u32>(<u32>vote.slots);
    bankHash.pushBytes(text, <usize>encodeBase58(vote.hash, KEY_BYTES, text));
    if (vote.hasTime) votedAt.push<i64>(vote.time * 1_000_000);
    else votedAt.pushNull();
    failed.pushBool(transaction.isFailed);
  }
  return output.finish();
}
