import { type Command, Option } from "commander";
import { type Act, type CommonFlags, collect, common, written } from "./act.ts";
import { withMachines } from "./actors/program.ts";
import type { JournalReplayFlags } from "./actors/replay-command.ts";
import type { DiffFlags } from "./diff-command.ts";
import type { ReplayFlags } from "./replay-command.ts";
import type { VerifyFlags } from "./verify-command.ts";

/** Adds the commands that read receipts. */
export function addReceiptCommands(root: Command, act: Act, signal: AbortSignal): void {
  common(root.command("verify"))
    .description("check a receipt offline: hashes, links, signatures, quorum, Merkle and zero-knowledge proofs")
    .argument("<receipt>", "receipt.car, or a row saved from one")
    .option("--trust <keys.json>", "keys that the reader trusts: every signer has to be one of them", written)
    .option("--expect <result>", "the result that the reader expects, as its CID", written)
    .option("--complete", "say what of the input is proved to be whole, and what is the quorum's word")
    .option(
      "--row <column=value,…>",
      "find this row of an output's table, and the path from it to the table's root",
      written,
    )
    .option("--output <name>", "with --row: the output (default: the only one with such a row)", written)
    .option(
      "--out <row.car>",
      "with --row: save the row with its path and the seal, as a file that verifies by itself",
      written,
    )
    .option("--data <dir>", "data folder of the run (default: .data beside the receipt)", written)
    .addOption(
      new Option("--input <name=place>", "read the blocks of a chain from this file, folder or endpoint")
        .argParser(collect)
        .default([]),
    )
    .action((receipt: string, flags: CommonFlags) =>
      act(flags, async (terminal) =>
        (await import("./verify-command.ts")).verifyCommand(receipt, flags as VerifyFlags, terminal, signal),
      ),
    );
  addReplay(root, act, signal);
  common(root.command("diff"))
    .description("find where two runs differ: the first stage, batch and row")
    .argument("<a>", "receipt.car of one run")
    .argument("<b>", "receipt.car of the other")
    .option("--data <dir>", "data folder of run a (default: .data beside its receipt)", written)
    .option("--data-b <dir>", "data folder of run b (default: .data beside its receipt)", written)
    .addOption(
      new Option("--input <name=path>", "an input's file, for the run that read it").argParser(collect).default([]),
    )
    .action((a: string, b: string, flags: CommonFlags) =>
      act(flags, async (terminal) =>
        (await import("./diff-command.ts")).diffCommand(a, b, flags as DiffFlags, terminal, signal),
      ),
    );
}

function addReplay(root: Command, act: Act, signal: AbortSignal): void {
  withMachines(common(root.command("replay")))
    .description("redo everything a receipt claims, or one actor's journal, and compare")
    .argument("<what>", "receipt.car; with --dir an actor's id or an entry's CID; or a CAR file with a journal")
    .option("--data <dir>", "data folder of the run (default: .data beside the receipt)", written)
    .addOption(
      new Option("--input <name=path>", "read this input again, from a file, folder or endpoint")
        .argParser(collect)
        .default([]),
    )
    .addOption(
      new Option("--module <task=path>", "run this module instead of the recorded one").argParser(collect).default([]),
    )
    .option("--timeout <duration>", "how long one call of a module may take, up to 1h (default: 60s)")
    .option("--isolation <kind>", "what separates modules from this process: thread or process (default: process)")
    .option("--dir <dir>", "folder of a runtime, or of a node: replay a journal of its store", written)
    .option("--at <seq>", "stop after this event of the journal, and print the state")
    .option("--from <checkpoint>", "begin at a checkpoint of the journal: its CID, or the number of its event")
    .action((what: string, flags: CommonFlags & JournalReplayFlags) =>
      act(flags, async (terminal) => {
        const journals = await import("./actors/replay-command.ts");
        if (await journals.isJournal(what, flags)) return await journals.replayJournalCommand(what, flags, terminal);
        journals.refuseJournalFlags(what, flags);
        return await (await import("./replay-command.ts")).replayCommand(what, flags as ReplayFlags, terminal, signal);
      }),
    );
}
