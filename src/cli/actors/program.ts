import type { Command } from "commander";
import { type Act, type CommonFlags, common } from "../act.ts";
import type { StoreFlags } from "./actor-commands.ts";
import type { DagFlags } from "./dag-command.ts";
import type { TailFlags } from "./tail-command.ts";

/** Adds `actors`, `events` and `dag`: a look into a store that no process has open. Each is loaded when it is used. */
export function addActorCommands(root: Command, act: Act): void {
  const actors = root.command("actors").description("look at durable actors, and let them try again");
  withDir(common(actors.command("list")))
    .description("every actor of a store: machine, events, what it waits for")
    .action((flags: CommonFlags & StoreFlags) =>
      act(flags, async (terminal) => (await import("./actor-commands.ts")).listCommand(flags, terminal)),
    );
  withMachines(withDir(common(actors.command("show"))))
    .description("an actor's state, children and open requests")
    .argument("<actor>", "its id")
    .action((actor: string, flags: CommonFlags & StoreFlags) =>
      act(flags, async (terminal) => (await import("./actor-commands.ts")).showCommand(actor, flags, terminal)),
    );
  withMachines(withDir(common(actors.command("retry"))))
    .description("try requests again that wait for a person; let an actor run again that was left alone")
    .argument("<actor>", "its id")
    .argument("[request]", "one request's id (default: all that wait for a person)")
    .action((actor: string, request: string | undefined, flags: CommonFlags & StoreFlags) =>
      act(flags, async (terminal) =>
        (await import("./actor-commands.ts")).retryCommand(actor, request, flags, terminal),
      ),
    );
  const events = root.command("events").description("read the events of durable actors");
  withDir(common(events.command("tail")))
    .description("the newest events of an actor, and what they asked for")
    .argument("<actor>", "its id")
    .option("--from <seq>", "all events from this number on (default: the last ten)")
    .action((actor: string, flags: CommonFlags & TailFlags) =>
      act(flags, async (terminal) => (await import("./tail-command.ts")).tailCommand(actor, flags, terminal)),
    );
  const dag = root.command("dag").description("read blocks");
  common(dag.command("show"))
    .description("any block as dag-json, checked against its CID")
    .argument("<cid>", "its CID")
    .option("--dir <dir>", "folder of a runtime or a node whose store holds it")
    .option("--car <file>", "a CAR file that holds it")
    .action((cid: string, flags: CommonFlags & DagFlags) =>
      act(flags, async (terminal) => (await import("./dag-command.ts")).dagShowCommand(cid, flags, terminal)),
    );
  for (const group of [actors, events, dag])
    for (const command of [group, ...group.commands]) command.exitOverride().showSuggestionAfterError();
}

function withDir(command: Command): Command {
  return command.requiredOption("--dir <dir>", "folder of a runtime, or of a node in a run's data folder");
}

/** The flag that names the module with a store's machines. */
export function withMachines(command: Command): Command {
  return command.option("--machines <module>", "a .js or .ts file that exports the machines, each made by durable()");
}
