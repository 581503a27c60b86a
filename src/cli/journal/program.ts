import type { Command } from "commander";
import { type Act, type CommonFlags, common, written } from "../act.ts";
import type { CompactFlags, ExportFlags, ImportFlags, VerifyFlags } from "./journal-commands.ts";

const DIR = "folder of a runtime, or of a node in a run's data folder";

/** Adds `journal`: journals of a store that no process has open, as files and back. Each command is loaded when it is used. */
export function addJournalCommands(root: Command, act: Act): void {
  const journal = root.command("journal").description("carry journals of actors about, check and compact them");
  common(journal.command("export"))
    .description("write an actor's journal into a CAR file")
    .argument("<actor>", "its id")
    .argument("<file>", "the CAR file to write")
    .requiredOption("--dir <dir>", DIR, written)
    .option("--sign", "with the journal's head signed by the folder's key, which is made on first use")
    .action((actor: string, file: string, flags: CommonFlags & ExportFlags) =>
      act(flags, async (terminal) =>
        (await import("./journal-commands.ts")).exportCommand(actor, file, flags, terminal),
      ),
    );
  common(journal.command("import"))
    .description("put a journal from a CAR file into a store")
    .argument("<file>", "the CAR file")
    .requiredOption("--dir <dir>", `${DIR}; made where there is none`, written)
    .action((file: string, flags: CommonFlags & ImportFlags) =>
      act(flags, async (terminal) => (await import("./journal-commands.ts")).importCommand(file, flags, terminal)),
    );
  common(journal.command("verify"))
    .description("check journals without their machines; of two files, whether one node told two histories")
    .argument("[files...]", "one or two CAR files of one actor (with --dir: actors, default all)")
    .option("--dir <dir>", `${DIR}: check the journals of its store`, written)
    .action((files: readonly string[], flags: CommonFlags & VerifyFlags) =>
      act(flags, async (terminal) => (await import("./journal-commands.ts")).verifyCommand(files, flags, terminal)),
    );
  common(journal.command("compact"))
    .description("seal older entries, drop or archive what checkpoints cover, give space back")
    .requiredOption("--dir <dir>", DIR, written)
    .option("--keep-checkpoints <n>", "drop what is older than an actor's newest n checkpoints (default: keep all)")
    .option(
      "--archive <dir>",
      "with --keep-checkpoints: write what is dropped into CAR files of this folder first",
      written,
    )
    .action((flags: CommonFlags & CompactFlags) =>
      act(flags, async (terminal) => (await import("./journal-commands.ts")).compactCommand(flags, terminal)),
    );
  for (const command of [journal, ...journal.commands]) command.exitOverride().showSuggestionAfterError();
}
