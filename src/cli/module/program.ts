import { type Command, Option } from "commander";
import type { Act, CommonFlags } from "../act.ts";
import { common } from "../act.ts";
import type { CheckFlags } from "./check-command.ts";
import type { CatalogueFlag } from "./flags.ts";
import type { NewFlags } from "./new-command.ts";
import type { PublishFlags } from "./publish-command.ts";
import type { ModuleRunFlags } from "./run-command.ts";
import type { ServeFlags } from "./serve-command.ts";
import type { PullFlags, SyncFlags } from "./sync-command.ts";
import type { TestFlags } from "./test-command.ts";

/** Adds the commands of `module`. Each is loaded when it is used. */
export function addModuleCommands(root: Command, act: Act, signal: AbortSignal): void {
  const group = root.command("module").description("make, check, publish and run WASM modules");
  addAuthoring(group, act, signal);
  addCatalogue(group, act);
  addPeers(group, act, signal);
  for (const command of [group, ...group.commands]) command.exitOverride().showSuggestionAfterError();
}

function addAuthoring(group: Command, act: Act, signal: AbortSignal): void {
  common(group.command("new"))
    .description("write a project that builds, with tests that pass")
    .argument("<dir>", "a new or empty folder")
    .option(
      "--template <name>",
      "filter (or rows), map, flat-map, aggregate, stateful, wasi-c or extism (default: filter)",
    )
    .action((dir: string, flags: CommonFlags) =>
      act(flags, async (terminal) => (await import("./new-command.ts")).newCommand(dir, flags as NewFlags, terminal)),
    );
  common(group.command("test"))
    .description("run a module over its cases and compare what comes out")
    .argument("<dir>", "a folder with ipdm.module.json and cases/")
    .option("--update", "write what comes out as what is expected")
    .action((dir: string, flags: CommonFlags) =>
      act(flags, async (terminal) =>
        (await import("./test-command.ts")).testCommand(dir, flags as TestFlags, terminal, signal),
      ),
    );
  checking(common(group.command("check")))
    .description("say what a module is, and whether it is the same everywhere")
    .argument("<module>", "a .wasm file, or a folder with ipdm.module.json")
    .action((module: string, flags: CommonFlags) =>
      act(flags, async (terminal) =>
        (await import("./check-command.ts")).checkCommand(module, flags as CheckFlags, terminal, signal),
      ),
    );
  checking(catalogue(common(group.command("publish"))))
    .description("check a module, sign it, and put it into the catalogue")
    .argument("<module>", "a .wasm file, or a folder with ipdm.module.json")
    .option("--name <name>", "the module's name (default: the manifest's)")
    .option("--version <version>", "its semantic version (default: the manifest's)")
    .option("--description <text>", "what it does, in a sentence (default: the manifest's)")
    .option("--key <file>", "the publisher's key (default: publisher.key in the catalogue, made on first use)")
    .action((module: string, flags: CommonFlags) =>
      act(flags, async (terminal) =>
        (await import("./publish-command.ts")).publishCommand(module, flags as PublishFlags, terminal, signal),
      ),
    );
  calling(catalogue(common(group.command("run"))))
    .description("send a file's rows through a module, outside any pipeline")
    .argument("<module>", "a .wasm file, a folder with ipdm.module.json, or name@range of the catalogue")
    .addOption(new Option("--input <file>", "the rows: Parquet, NDJSON or CSV").makeOptionMandatory())
    .option("--input-columns <list>", "its columns as name=type,name=type (default: the manifest's, else guessed)")
    .option("--time <column>", "the column of the event time, for calls that may ask for it (default: the manifest's)")
    .option("--output <file>", "where the rows go (default: stdout, as NDJSON)")
    .action((module: string, flags: CommonFlags) =>
      act(flags, async (terminal) =>
        (await import("./run-command.ts")).moduleRunCommand(
          module,
          flags as unknown as ModuleRunFlags,
          terminal,
          signal,
        ),
      ),
    );
}

function addCatalogue(group: Command, act: Act): void {
  // A group of options after the argument reads better; commander keeps the order of these calls.
  catalogue(common(group.command("list")))
    .description("list the catalogue's modules")
    .action((flags: CommonFlags) =>
      act(flags, async (terminal) => (await import("./list-command.ts")).listCommand(flags as CatalogueFlag, terminal)),
    );
  catalogue(common(group.command("show")))
    .description("show what a publisher declares of a module")
    .argument("<module>", "name, or name@range")
    .action((module: string, flags: CommonFlags) =>
      act(flags, async (terminal) =>
        (await import("./show-command.ts")).showCommand(module, flags as CatalogueFlag, terminal),
      ),
    );
  catalogue(common(group.command("export")))
    .description("write a module and its signed entry as a CAR file")
    .argument("<module>", "name, or name@range")
    .argument("<car>", "the file to write")
    .action((module: string, car: string, flags: CommonFlags) =>
      act(flags, async (terminal) =>
        (await import("./transfer-commands.ts")).exportCommand(module, car, flags as CatalogueFlag, terminal),
      ),
    );
  catalogue(common(group.command("import")))
    .description("check an exported module and take it into the catalogue")
    .argument("<car>", "the file to read")
    .action((car: string, flags: CommonFlags) =>
      act(flags, async (terminal) =>
        (await import("./transfer-commands.ts")).importCommand(car, flags as CatalogueFlag, terminal),
      ),
    );
}

/** What goes from one catalogue to another over the network. */
function addPeers(group: Command, act: Act, signal: AbortSignal): void {
  catalogue(common(group.command("serve")))
    .description("let other catalogues take what is in this one, until Ctrl-C")
    .option("--listen <multiaddr>", "where peers connect (default: /ip4/127.0.0.1/tcp/0, this machine alone)")
    .action((flags: CommonFlags) =>
      act(flags, async (terminal) =>
        (await import("./serve-command.ts")).serveCommand(flags as ServeFlags, terminal, signal),
      ),
    );
  taking(catalogue(common(group.command("sync"))))
    .description("take all that a served catalogue has and this one does not")
    .argument("<multiaddr>", "its address, as `module serve` prints it")
    .action((address: string, flags: CommonFlags) =>
      act(flags, async (terminal) =>
        (await import("./sync-command.ts")).syncCommand(address, flags as SyncFlags, terminal, signal),
      ),
    );
  taking(catalogue(common(group.command("pull"))))
    .description("take the newest version that matches from a served catalogue")
    .argument("<module>", "name, or name@range")
    .addOption(new Option("--from <multiaddr>", "its address, as `module serve` prints it").makeOptionMandatory())
    .action((module: string, flags: CommonFlags) =>
      act(flags, async (terminal) =>
        (await import("./sync-command.ts")).pullCommand(module, flags as unknown as PullFlags, terminal, signal),
      ),
    );
}

function taking(command: Command): Command {
  return command.option("--timeout <duration>", "how long it may take, up to 24h (default: 5m)");
}

function catalogue(command: Command): Command {
  return command.option("--catalogue <dir>", "folder of the catalogue (default: .ipdm/catalogue)");
}

/** How a module is called, where no manifest says. */
function calling(command: Command): Command {
  return command
    .option("--abi <abi>", "how it is called (default: ipdm/1)")
    .option("--trust <level>", "what it may use: trusted, standard or untrusted (default: standard)")
    .option("--kind <kind>", "rows, or batch (default: rows)")
    .option("--unit <rows>", "with --kind batch, rows of a unit (default: 4096)")
    .option("--columns <list>", "columns of its output as name=type,name=type, for an ABI that cannot say them")
    .option("--features <list>", "what of WebAssembly it may use beyond what every module may: tail-calls");
}

function checking(command: Command): Command {
  return calling(command)
    .option("--input <file>", "check it over these rows (default: made-up ones)")
    .option("--input-columns <list>", "their columns as name=type,name=type (default: the manifest's, else guessed)");
}
