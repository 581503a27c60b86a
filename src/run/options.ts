import type { Log } from "../core/ports.ts";
import type { StageStatus } from "./stages.ts";

/** What a run reports while it goes on: plain facts, for a progress line or a log. */
export interface RunProgress {
  /** Rows of sources that are done, those that an earlier run had done included. */
  readonly rowsIn: number;
  /** Those of `rowsIn` that were found done: no work of this run, so no part of its rate. */
  readonly rowsRecovered: number;
  /** Rows of all sources; `undefined` until each tells its number or is read far enough to estimate it. */
  readonly rowsTotal: number | undefined;
  /** True while the total is an estimate from the share of the bytes read. */
  readonly isEstimate: boolean;
  readonly statements: number;
  readonly certificates: number;
  readonly proofs: number;
  readonly phase: string;
}

/** How to run a configuration. Paths are absolute. */
export interface RunOptions {
  readonly configPath: string;
  /** Where outputs and the receipt go; `out/<name>` of the working folder by default. */
  readonly outDir?: string | undefined;
  /** Where nodes keep keys, journals and batches; `.data` in the out folder by default. */
  readonly dataDir?: string | undefined;
  /** Folder with the catalogue of modules; the configuration's, else `.ipdm/catalogue` of the working folder, by default. */
  readonly catalogueDir?: string | undefined;
  readonly replicas?: number | undefined;
  /** Rows a batch, 1 to 4096; never changes a result. */
  readonly batchRows?: number | undefined;
  /** Lanes that run a node's modules, 1 to 64; as many as cores for each node by default. Never changes a result. */
  readonly lanes?: number | undefined;
  /** Other places of sources than the configuration's, by name: a file; for a chain also a folder or an endpoint's address. */
  readonly inputs?: Readonly<Record<string, string>> | undefined;
  /** Other ranges of chains than the configuration's, by name of the source: `first..last`, or `first..` to follow the head from there on. */
  readonly ranges?: Readonly<Record<string, string>> | undefined;
  /** Compute everything again, in a new epoch. */
  readonly fresh?: boolean | undefined;
  /**
   * Told when the run follows the head of a chain, with what ends it: what is final then is sealed. A run that is aborted instead
   * leaves its journals for the next one.
   */
  readonly onFollow?: ((end: () => void) => void) | undefined;
  /** How often a followed chain is asked for a newer block, in milliseconds (default 1000). */
  readonly pollMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly log?: Log | undefined;
  readonly onProgress?: ((progress: RunProgress) => void) | undefined;
  /** Called once the nodes run, with what tells how the stages stand whenever it is asked. */
  readonly onStages?: ((stages: () => readonly StageStatus[]) => void) | undefined;
  /** Something a person should know: a warning of the configuration, a member's wrong result, a reused stage. */
  readonly onNotice?: ((notice: RunNotice) => void) | undefined;
}

/** A notice: a stable code, a sentence, facts. */
export interface RunNotice {
  readonly level: "info" | "warn";
  readonly code: string;
  readonly message: string;
  readonly facts?: Readonly<Record<string, unknown>>;
}

/** What a run came to. */
export interface RunSummary {
  readonly receipt: string;
  /** Size of the receipt's file. */
  readonly receiptBytes: number;
  /** File of the nodes' public keys. Whoever is to trust them needs them by another way than the receipt. */
  readonly keys: string;
  /** CID of the receipt's root. */
  readonly root: string;
  /** CID of the result: the same for everyone who computes the same. */
  readonly result: string;
  readonly rows: { readonly in: number; readonly out: number };
  readonly statements: number;
  readonly certificates: number;
  readonly proofs: number;
  readonly seconds: number;
  readonly outputs: readonly { readonly name: string; readonly file: string; readonly rows: number }[];
  /** Stages whose certified work was found in the data folder. */
  readonly reused: readonly string[];
  /** Stages that this run computed, in part where an earlier one had begun them. */
  readonly computed: readonly string[];
  readonly quorum: { readonly n: number; readonly q: number; readonly f: number };
  /** Rows that came too late, by task; those of a join's right input by `<task>.late-right`. */
  readonly late: Readonly<Record<string, number>>;
  /** Logs that tasks with events did not decode, by task and reason (`anonymous`, `topics`, `malformed`); a task without any has an empty one. */
  readonly rejected: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** False where proofs are made with development keys, whose maker could forge. */
  readonly production: boolean;
}
