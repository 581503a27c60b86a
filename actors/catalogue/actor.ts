import type { CID } from "multiformats/cid";
import type { CatalogueRequest } from "../../machines/catalogue/step.ts";
import { entrySigned, type ModuleEntry, parseModuleEntry } from "../../src/consensus/module-entry.ts";
import { IpdmError } from "../../src/core/errors.ts";
import { Latch } from "../../src/core/latch.ts";
import type { Hash, Verify } from "../../src/core/ports.ts";
import { cborBlock, decodeStrict } from "../../src/dag/block.ts";
import type { BlockStore } from "../../src/journal/port.ts";
import type { Effect, OutcomeEvent } from "../../src/runtime/kernel.ts";
import type { CatalogueRecord } from "./record.ts";
import { Shelf } from "./shelf.ts";

type Params<T extends CatalogueRequest["type"]> = Extract<CatalogueRequest, { type: T }>["params"];

/** What the effects of a catalogue stand on. */
export interface CataloguePorts {
  readonly blocks: BlockStore;
  readonly hash: Hash;
  readonly verify: Verify;
}

/**
 * Carries out a catalogue machine's requests. The shelf is what the machine's records say, kept in step with them. An effect that
 * fails is this process's failure and no fact of the catalogue: its request stays open, and the next process makes it again.
 */
export class CatalogueEffects {
  readonly effects: Readonly<Record<CatalogueRequest["type"], Effect>>;
  readonly shelf = new Shelf();
  /** Set when an effect fails. */
  readonly failure = new Latch<unknown>();
  private readonly ports: CataloguePorts;

  constructor(ports: CataloguePorts) {
    this.ports = ports;
    this.effects = {
      look: this.guarded((request) => this.look(request.params as never)),
      record: this.guarded((request) => this.record(request.params as never)),
    };
  }

  /** Brings the shelf to the newest record. Throws `CATALOGUE_CORRUPT`. */
  async follow(head: CID | null): Promise<void> {
    await this.shelf.follow(this.ports.hash, head, (cid) => this.ports.blocks.get(cid));
  }

  /** An entry that is stored here, with its signature checked. Throws `NODE_MALFORMED`, `MODULE_SIGNATURE`, `CATALOGUE_CORRUPT`. */
  async entry(cid: CID): Promise<ModuleEntry> {
    const bytes = await this.ports.blocks.get(cid);
    if (bytes === undefined)
      throw new IpdmError("CATALOGUE_CORRUPT", `the entry ${cid.toString()} is not in the catalogue's store`, {
        kind: "verification",
        where: cid.toString(),
        hint: "import its modules into a new catalogue",
      });
    const entry = parseModuleEntry(decodeStrict(this.ports.hash, { cid, bytes }));
    if (!entrySigned(entry, this.ports.verify)) throw notSigned(entry);
    return entry;
  }

  private async look({ entry: cid, head }: Params<"look">): Promise<OutcomeEvent> {
    await this.follow(head);
    const { name, version, publisher } = await this.entry(cid);
    const shelved = this.shelf.name(name);
    const existing = shelved?.versions.get(version)?.entry ?? null;
    return { type: "looked", entry: cid, name, publisher, owner: shelved?.owner ?? null, existing };
  }

  private async record({ entry: cid, prev, seq }: Params<"record">): Promise<OutcomeEvent> {
    await this.follow(prev);
    const { name, version, module, publisher } = await this.entry(cid);
    const record: CatalogueRecord = { v: 1, seq, prev, entry: cid, name, version, module, publisher };
    const block = cborBlock(this.ports.hash, record);
    await this.ports.blocks.put(block);
    return { type: "recorded", entry: cid, head: block.cid };
  }

  private guarded(effect: (request: Parameters<Effect>[0]) => Promise<OutcomeEvent>): Effect {
    return async (request, { signal }) => {
      try {
        return await effect(request);
      } catch (error) {
        if (!signal.aborted) this.failure.set(error);
        return new Latch<never>().wait(signal);
      }
    };
  }
}

/** An entry whose signature is not its publisher's. */
export function notSigned({ name, version }: ModuleEntry): IpdmError {
  return new IpdmError(
    "MODULE_SIGNATURE",
    `${name}@${version} does not carry the signature of the publisher that it names`,
    {
      kind: "verification",
      where: `${name}@${version}`,
      hint: "get it from its publisher again",
    },
  );
}
