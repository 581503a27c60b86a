import type { CatalogueOutcome } from "../../machines/catalogue/step.ts";
import type { ModuleEntry } from "../consensus/module-entry.ts";
import { IpdmError } from "../core/errors.ts";

/** Throws what a catalogue answers to an entry that it does not take. */
export function refuse({ name, version }: ModuleEntry, outcome: CatalogueOutcome, folder: string): void {
  if (outcome === "foreign") {
    throw new IpdmError("CATALOGUE_NAME_TAKEN", `the name ${name} belongs to another publisher in ${folder}`, {
      kind: "conflict",
      where: `${name}@${version}`,
      hint: "publish under another name, or use a catalogue of its own for this publisher",
      facts: { name, catalogue: folder },
    });
  }
  if (outcome === "changed") {
    throw new IpdmError(
      "CATALOGUE_VERSION_TAKEN",
      `${name}@${version} is in ${folder} with other contents; what is published never changes`,
      {
        kind: "conflict",
        where: `${name}@${version}`,
        hint: "publish the change as a new version",
        facts: { name, version, catalogue: folder },
      },
    );
  }
}
