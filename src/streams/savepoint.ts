import type { CID } from "multiformats/cid";
import { CID as Cid } from "multiformats/cid";
import type { Schema } from "../batch/schema.ts";
import { COLUMN_TYPES, type Field, schemaOf, schemaToIpld } from "../batch/schema.ts";
import { IpdmError } from "../core/errors.ts";
import type { Hash } from "../core/ports.ts";
import type { Block, Ipld } from "../dag/block.ts";
import { cborBlock, decodeStrict } from "../dag/block.ts";
import type { Barrier } from "./barrier.ts";
import { malformed, partOf } from "./window/state-bytes.ts";
import { fetchState, type LoadedState, type SavedState } from "./window/state-tree.ts";

/** The state of one operator, ready to go on from. */
export interface SavedPlace {
  readonly state: LoadedState;
  /** Of its input. */
  readonly schema: Schema;
}

/** What a pipeline goes on from: states by place, and how many rows of each source they have seen. */
export interface SavedPlaces {
  readonly name: string;
  state(place: string): SavedPlace | undefined;
  /** Rows of a source, by its name, that are in the states: it goes on behind them. */
  rows(source: string): number;
}

/** A savepoint as blocks: the root names all states. Its CID depends on the rows before it alone. */
export interface Savepoint {
  readonly root: Block;
  /** The states' blocks; of a state that is a tree, the parts that the savepoint before did not have. */
  readonly blocks: readonly Block[];
}

/** Gathers what operators add to one barrier. */
export class GatheringBarrier implements Barrier {
  readonly kind = "barrier";
  readonly name: string;
  readonly hash: Hash;
  private readonly places = new Map<string, { readonly state: SavedState; readonly schema: Schema }>();

  constructor(name: string, hash: Hash) {
    this.name = name;
    this.hash = hash;
  }

  add(place: string, state: SavedState, schema: Schema): void {
    if (this.places.has(place)) {
      throw new IpdmError("SAVEPOINT_PLACE", `two operators are called ${place}`, {
        kind: "config",
        hint: "give the sources different names: source(…, { name })",
        facts: { place },
      });
    }
    this.places.set(place, { state, schema });
  }

  /** The savepoint; `rows` are those that each source had given before the barrier. */
  finish(rows: Readonly<Record<string, number>>): Savepoint {
    const operators: Record<string, Ipld> = {};
    const blocks: Block[] = [];
    for (const [place, { state, schema }] of this.places) {
      operators[place] = { state: state.root.cid, schema: schemaToIpld(schema) };
      blocks.push(state.root, ...state.fresh);
    }
    return { root: cborBlock(this.hash, { v: 1, name: this.name, sources: rows, operators }), blocks };
  }
}

/**
 * Reads a savepoint by its CID. Every block must hash to its CID. Throws `SAVEPOINT_MALFORMED`, `DAG_CID_MISMATCH`, `DAG_MALFORMED`,
 * `WINDOW_SNAPSHOT_MALFORMED`, and what `read` throws.
 */
export async function openSavepoint(
  root: CID,
  hash: Hash,
  read: (cid: CID) => Promise<Uint8Array>,
): Promise<SavedPlaces> {
  const node = decodeStrict(hash, { cid: root, bytes: await read(root) }) as Ipld;
  const { v, name, sources, operators } = recordOf(node);
  if (v !== 1 || typeof name !== "string") throw bad("version");
  const places = new Map<string, SavedPlace>();
  for (const [place, each] of Object.entries(recordOf(operators))) {
    const { state, schema } = recordOf(each);
    const cid = Cid.asCID(state);
    if (cid === null) throw bad(`state of ${place}`);
    places.set(place, { state: await fetchState({ root: cid, hash, read }), schema: schemaOfIpld(schema) });
  }
  const rows = recordOf(sources);
  return {
    name,
    state: (place) => places.get(place),
    rows: (source) => (typeof rows[source] === "number" ? rows[source] : 0),
  };
}

/** A schema from plain data. Throws `SAVEPOINT_MALFORMED`, `SCHEMA_INVALID`. */
export function schemaOfIpld(value: Ipld | undefined): Schema {
  if (!Array.isArray(value)) throw bad("schema");
  return schemaOf(
    (value as readonly Ipld[]).map((each): Field => {
      const { name, type, nullable, width } = recordOf(each);
      const known = COLUMN_TYPES.find((candidate) => candidate === type);
      if (typeof name !== "string" || known === undefined || typeof nullable !== "boolean") throw bad("schema");
      return typeof width === "number" ? { name, type: known, nullable, width } : { name, type: known, nullable };
    }),
  );
}

function recordOf(value: Ipld | undefined): { readonly [key: string]: Ipld } {
  try {
    partOf(value, "");
  } catch {
    throw bad("shape");
  }
  return value as { readonly [key: string]: Ipld };
}

function bad(what: string): IpdmError {
  return new IpdmError("SAVEPOINT_MALFORMED", `not a savepoint: ${what}`, {
    kind: "verification",
    hint: "give the CID that a checkpoint was stored under",
    cause: malformed(what),
  });
}
