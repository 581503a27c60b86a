import { setTimeout as after } from "node:timers/promises";
import { IpdmError } from "../core/errors.ts";
import { corrupt } from "./errors.ts";
import { checkTable } from "./level-files.ts";
import { SCRUB_PAUSE_MS } from "./limits.ts";

/** Reads the tables of an open LevelDB one after the other, with pauses, until one turns out damaged or all are whole. */
export class Scrub {
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;

  /** `damaged` hears of the first damaged table (`JOURNAL_CORRUPT`), at most once. */
  constructor(index: string, tables: readonly string[], damaged: (error: IpdmError) => void) {
    this.#running = this.#run(index, tables, damaged);
  }

  /** Resolves when nothing is read any more. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #run(index: string, tables: readonly string[], damaged: (error: IpdmError) => void): Promise<void> {
    const { signal } = this.#stop;
    for (const table of tables) {
      await after(SCRUB_PAUSE_MS, undefined, { signal, ref: false }).catch(() => {});
      if (signal.aborted) return;
      try {
        await checkTable(index, table);
      } catch (error) {
        damaged(error instanceof IpdmError ? error : corrupt(`index/${table} cannot be read`, {}, error));
        return;
      }
    }
  }
}
