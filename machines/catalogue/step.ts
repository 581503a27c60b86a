import type { CID } from "multiformats/cid";
import type { Step } from "../step.ts";
import type { CatalogueInput, LookedEvent, RecordedEvent, SubmittedEvent } from "./events.ts";

/** What became of an entry that was submitted. */
export type CatalogueOutcome = "published" | "present" | "foreign" | "changed";

/** What a catalogue remembers: the newest record of a linked list, and counts. */
export interface CatalogueContext {
  readonly catalogue: string;
  readonly records: { readonly head: CID | null; readonly count: number };
  /** Names with at least one version. */
  readonly names: number;
  /** Entries that were not taken: of a name that another key owns, or other contents for a version that is there. */
  readonly refused: { readonly foreign: number; readonly changed: number };
  /** The entry that is being looked at, and whether its name is new. */
  readonly deciding: CID | null;
  readonly isNewName: boolean;
  readonly last: { readonly entry: CID; readonly outcome: CatalogueOutcome } | null;
}

/** A request of the catalogue machine, by name. */
export type CatalogueRequest =
  | { readonly type: "look"; readonly params: { readonly entry: CID; readonly head: CID | null } }
  | {
      readonly type: "record";
      readonly params: { readonly entry: CID; readonly prev: CID | null; readonly seq: number };
    };

type CatalogueStep = Step<CatalogueContext, CatalogueRequest>;

/** The context a catalogue begins with. Total: XState probes it without input. */
export function initialCatalogue(input: CatalogueInput | undefined): CatalogueContext {
  return {
    catalogue: input?.catalogue ?? "",
    records: { head: null, count: 0 },
    names: 0,
    refused: { foreign: 0, changed: 0 },
    deciding: null,
    isNewName: false,
    last: null,
  };
}

/** An entry is looked at before anything is said about it. */
export function submitted(context: CatalogueContext, { entry }: SubmittedEvent): CatalogueStep {
  return {
    context: { ...context, deciding: entry, isNewName: false, last: null },
    requests: [{ type: "look", params: { entry, head: context.records.head } }],
  };
}

/** Nothing stands against it: it is recorded behind the newest. */
export function accepted(context: CatalogueContext, { entry, owner }: LookedEvent): CatalogueStep {
  const { head, count } = context.records;
  return {
    context: { ...context, isNewName: owner === null },
    requests: [{ type: "record", params: { entry, prev: head, seq: count } }],
  };
}

/** It is part of the catalogue. */
export function recorded(context: CatalogueContext, { entry, head }: RecordedEvent): CatalogueStep {
  const { records, names, isNewName } = context;
  const next = {
    ...context,
    records: { head, count: records.count + 1 },
    names: names + (isNewName ? 1 : 0),
  };
  return decided(next, entry, "published");
}

/** It was part of it before. */
export function present(context: CatalogueContext, { entry }: LookedEvent): CatalogueStep {
  return decided(context, entry, "present");
}

/** Its name is another's. */
export function foreign(context: CatalogueContext, { entry }: LookedEvent): CatalogueStep {
  const refused = { ...context.refused, foreign: context.refused.foreign + 1 };
  return decided({ ...context, refused }, entry, "foreign");
}

/** Its version is there, with other contents. */
export function changed(context: CatalogueContext, { entry }: LookedEvent): CatalogueStep {
  const refused = { ...context.refused, changed: context.refused.changed + 1 };
  return decided({ ...context, refused }, entry, "changed");
}

function decided(context: CatalogueContext, entry: CID, outcome: CatalogueOutcome): CatalogueStep {
  return { context: { ...context, deciding: null, isNewName: false, last: { entry, outcome } }, requests: [] };
}
