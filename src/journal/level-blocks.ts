import type { CID } from "multiformats/cid";
import { equalBytes } from "../core/bytes.ts";
import type { Hash } from "../core/ports.ts";
import type { Block } from "../dag/block.ts";
import { corrupt } from "./errors.ts";
import { unpackFrame } from "./frame.ts";
import type { LevelIndex } from "./level-index.ts";
import { FRAMES_UNPACKED_MAX } from "./limits.ts";
import { type Locator, type Segments, segmentName } from "./segments.ts";

/** Reads the blocks of a store wherever they are: in LevelDB, in a sealed frame, in a segment. All that is given has been hashed. */
export class LevelBlocks {
  readonly #index: LevelIndex;
  readonly #segments: Segments;
  readonly #hash: Hash;
  /** Blocks whose stored bytes were found damaged: the next `put` of one writes it again. */
  readonly #damaged = new Set<string>();
  readonly #unpacked = new Map<number, Promise<readonly Block[]>>();

  constructor(index: LevelIndex, segments: Segments, hash: Hash) {
    this.#index = index;
    this.#segments = segments;
    this.#hash = hash;
  }

  /** The bytes; `undefined` where the block was never stored. Throws `JOURNAL_CORRUPT`. */
  async get(cid: CID): Promise<Uint8Array | undefined> {
    const { inline, located, frame } = await this.#index.find(cid);
    if (inline !== undefined) {
      if (this.#matches(cid, inline)) return inline;
      this.#damaged.add(cid.toString());
      throw corrupt(`block ${cid.toString()} has other bytes`, { cid: cid.toString() });
    }
    if (located !== undefined) return await this.#located(cid, located);
    if (frame === undefined) return undefined;
    const found = (await this.frame(frame)).find((block) => block.cid.equals(cid));
    // The index of frames holds the beginnings of digests only.
    return found?.bytes;
  }

  /** The entries of a sealed frame, by its number. Throws `JOURNAL_CORRUPT`. */
  async frame(number: number): Promise<readonly Block[]> {
    const known = this.#unpacked.get(number);
    if (known !== undefined) return await known;
    const reading = this.#unpack(number);
    this.#unpacked.set(number, reading);
    const oldest = this.#unpacked.keys().next().value;
    if (this.#unpacked.size > FRAMES_UNPACKED_MAX && oldest !== undefined) this.#unpacked.delete(oldest);
    try {
      return await reading;
    } catch (error) {
      this.#unpacked.delete(number);
      throw error;
    }
  }

  /** Forgets frames that are to be deleted. */
  forget(): void {
    this.#unpacked.clear();
  }

  /** True once for a block that was found damaged. */
  mend(cid: CID): boolean {
    return this.#damaged.delete(cid.toString());
  }

  async #unpack(number: number): Promise<readonly Block[]> {
    const bytes = await this.#index.frame(number);
    const blocks = bytes === undefined ? undefined : unpackFrame(this.#hash, bytes);
    if (blocks === undefined || blocks.length === 0)
      throw corrupt(`sealed frame ${number} is ${bytes === undefined ? "missing" : "altered"}`, { frame: number });
    return blocks;
  }

  async #located(cid: CID, located: Locator): Promise<Uint8Array> {
    const segment = segmentName(located.segment);
    const bytes = await this.#segments.read(located).catch((error: unknown) => {
      throw corrupt(`segments/${segment} cannot be read`, { cid: cid.toString() }, error);
    });
    if (bytes.length === located.sizeBytes && this.#matches(cid, bytes)) return bytes;
    this.#damaged.add(cid.toString());
    throw corrupt(`segments/${segment} at byte ${located.offset}: block ${cid.toString()} has other bytes`, {
      cid: cid.toString(),
      segment,
      offset: located.offset,
    });
  }

  #matches(cid: CID, bytes: Uint8Array): boolean {
    return equalBytes(this.#hash(bytes), cid.multihash.digest);
  }
}
