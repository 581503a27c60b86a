import { join } from "node:path";
import { signModuleEntry } from "../../consensus/module-entry.ts";
import { toHex } from "../../core/bytes.ts";
import { EXIT_CODES, IpdmError } from "../../core/errors.ts";
import { loadOrMakeSeed, loadSeed, signerOf } from "../../node.ts";
import { openCatalogue } from "../../registry/catalogue-lease.ts";
import { entryBodyOf, readGivenModule } from "../../registry/given-module.ts";
import { PUBLISHER_KEY_FILE } from "../../registry/own-key.ts";
import { COST_TABLE } from "../../sandbox/metering/cost-table.ts";
import type { Terminal } from "../terminal.ts";
import { type CheckFlags, checkedFields, checkGiven } from "./check-command.ts";
import { type CatalogueFlag, catalogueFolder, overridesOf } from "./flags.ts";
import { reportLines } from "./report.ts";

/** Flags of `module publish`, as the command line gives them. */
export interface PublishFlags extends CheckFlags, CatalogueFlag {
  readonly name?: string;
  readonly version?: string;
  readonly description?: string;
  readonly key?: string;
}

/** `ipdm-runtime module publish <module>`: checks a module, signs its entry and puts both into the catalogue. Returns the exit code. */
export async function publishCommand(
  path: string,
  flags: PublishFlags,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<number> {
  const given = await readGivenModule(path, overridesOf(flags));
  const { name, version, description } = flags;
  const body = entryBodyOf(given, { name, version, ...(description === undefined ? {} : { description }) }, COST_TABLE);
  const report = await checkGiven(given, flags, signal);
  if (!report.ok) {
    if (terminal.options.json) terminal.json({ event: "published", ...checkedFields(report) });
    else for (const line of reportLines(path, given, report)) terminal.print(line);
    terminal.say(`${body.name}@${body.version} was not published`);
    return EXIT_CODES.verification;
  }
  const folder = catalogueFolder(flags);
  // The store's lock comes first: of two first publications, only the one that holds it may make the key.
  await using catalogue = await openCatalogue(folder, { create: true });
  const { seed, file, isNew } = await keyOf(flags.key, folder);
  const { entry, entryBlock, outcome } = await catalogue.add(signModuleEntry(body, signerOf(seed)), given.spec.bytes);
  const publisher = toHex(entry.publisher);
  if (isNew)
    terminal.say(`made a publisher's key for you: ${file}. Whoever has it can publish in your name; keep a copy.`);
  const said = { name: entry.name, version: entry.version, module: entry.module.toString(), publisher };
  if (terminal.options.json) {
    const key = { file, made: isNew };
    terminal.json({
      event: "published",
      ok: true,
      ...said,
      entry: entryBlock.cid.toString(),
      outcome,
      catalogue: folder,
      key,
    });
    return 0;
  }
  terminal.print(`${outcome === "present" ? "present   " : "published "} ${entry.name}@${entry.version} in ${folder}`);
  terminal.print(`module     ${said.module}`);
  terminal.print(`entry      ${entryBlock.cid.toString()}`);
  terminal.print(`publisher  ${publisher}`);
  return 0;
}

async function keyOf(
  given: string | undefined,
  folder: string,
): Promise<{ readonly seed: Uint8Array; readonly file: string; readonly isNew: boolean }> {
  const file = given ?? join(folder, PUBLISHER_KEY_FILE);
  if (given === undefined) return { ...(await loadOrMakeSeed(file)), file };
  const seed = await loadSeed(given);
  if (seed !== undefined) return { seed, file, isNew: false };
  throw new IpdmError("KEY_MISSING", `there is no key at ${given}`, {
    kind: "config",
    where: given,
    hint: `leave --key out: one is made in the catalogue's folder, as ${PUBLISHER_KEY_FILE}`,
  });
}
