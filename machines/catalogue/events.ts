import type { CID } from "multiformats/cid";

/** What a catalogue actor is created with. */
export interface CatalogueInput {
  readonly catalogue: string;
}

/** Someone wants an entry to be in the catalogue; its block and its module's are stored, its signature was checked. */
export interface SubmittedEvent {
  readonly type: "submitted";
  readonly entry: CID;
}

/** What the catalogue holds where the entry would go. */
export interface LookedEvent {
  readonly type: "looked";
  readonly request: string;
  readonly entry: CID;
  readonly name: string;
  readonly publisher: Uint8Array;
  /** Key that published the first entry of that name here; null for a new name. */
  readonly owner: Uint8Array | null;
  /** Entry of that name and version; null for a new version. */
  readonly existing: CID | null;
}

/** The record that makes the entry part of the catalogue is stored. */
export interface RecordedEvent {
  readonly type: "recorded";
  readonly request: string;
  readonly entry: CID;
  readonly head: CID;
}

/** Everything that can happen to a catalogue. */
export type CatalogueEvent = SubmittedEvent | LookedEvent | RecordedEvent;
