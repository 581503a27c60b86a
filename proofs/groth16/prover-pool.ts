import type { CircuitEntry } from "../../circuits/manifest.ts";
import type { ProveRequest } from "../../circuits/messages.ts";
import { hasCode, IpdmError } from "../../src/core/errors.ts";
import { type CircuitFiles, provingFiles } from "./circuit-files.ts";
import { elementOf } from "./field.ts";
import { PROVER_ATTEMPTS_MAX, PROVER_QUEUE_MAX, PROVER_TIMEOUT_MS } from "./limits.ts";
import type { Prover, WindowProof } from "./prover.ts";
import { ProverChild } from "./prover-child.ts";
import { proofFromJson } from "./snarkjs-json.ts";
import { offsetOf, publicInputsOf, type WindowChunk } from "./window-proof.ts";

export interface ProverPoolOptions {
  /** Prover processes at most, each one thread and about 250 MB while it works. Default 1. */
  readonly processesMax?: number;
  /** Default {@link PROVER_QUEUE_MAX}. */
  readonly queueMax?: number;
  /** For one proof, once a process has it. Default {@link PROVER_TIMEOUT_MS}. */
  readonly timeoutMs?: number;
  /** Entry of a prover process; this package's own by default. */
  readonly proverPath?: string;
}

type Files = CircuitFiles & { readonly zkeySha256: string };

interface Task {
  readonly chunk: WindowChunk;
  readonly signal: AbortSignal | undefined;
  readonly resolve: (proof: WindowProof) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * The {@link Prover} over forked processes. A process starts with the first proof that needs it, is used again, and ends
 * with `close`, with this process, or when a proof is aborted or takes too long. One that dies is replaced and its proof tried again once.
 */
export class ProverPool implements Prover {
  readonly #options: Required<Omit<ProverPoolOptions, "proverPath">> & Pick<ProverPoolOptions, "proverPath">;
  readonly #idle: ProverChild[] = [];
  readonly #busy = new Set<ProverChild>();
  readonly #queue: Task[] = [];
  /** Running tasks, so that `close` can wait for them. */
  readonly #running = new Set<Promise<void>>();
  /** Files by circuit. */
  readonly #files = new Map<string, Promise<Files>>();
  #lastId = 0;
  #closed = false;

  constructor(options: ProverPoolOptions = {}) {
    this.#options = { processesMax: 1, queueMax: PROVER_QUEUE_MAX, timeoutMs: PROVER_TIMEOUT_MS, ...options };
    process.on("exit", this.#killAll);
  }

  /** Process ids of the living provers. */
  get pids(): readonly number[] {
    const living = [...this.#idle, ...this.#busy].filter(({ alive }) => alive);
    return living.map(({ pid }) => pid).filter((pid) => pid !== undefined);
  }

  /** Processes that work on a proof now. */
  get busy(): number {
    return this.#busy.size;
  }

  prove(chunk: WindowChunk, { signal }: { readonly signal?: AbortSignal } = {}): Promise<WindowProof> {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      if (this.#closed) throw closed();
      if (this.#queue.length >= this.#options.queueMax) {
        throw new IpdmError("PROVER_QUEUE_FULL", `${this.#queue.length} proofs are waiting already`, {
          retry: "later",
        });
      }
      const onAbort = (): void => {
        const at = this.#queue.indexOf(task);
        if (at < 0) return;
        this.#queue.splice(at, 1);
        task.reject(signal?.reason);
      };
      const settled = <T>(settle: (value: T) => void) => {
        return (value: T): void => {
          signal?.removeEventListener("abort", onAbort);
          settle(value);
        };
      };
      const task: Task = { chunk, signal, resolve: settled(resolve), reject: settled(reject) };
      signal?.addEventListener("abort", onAbort);
      this.#queue.push(task);
      this.#pump();
    });
  }

  /** Ends the processes; proofs that wait or run fail with `PROVER_CLOSED`. */
  async close(): Promise<void> {
    this.#closed = true;
    process.off("exit", this.#killAll);
    for (const task of this.#queue.splice(0)) task.reject(closed());
    const children = [...this.#idle.splice(0), ...this.#busy];
    await Promise.all(children.map((child) => child.close()));
    await Promise.all(this.#running);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  readonly #killAll = (): void => {
    for (const child of [...this.#idle, ...this.#busy]) child.kill();
  };

  #pump(): void {
    while (!this.#closed && this.#running.size < this.#options.processesMax) {
      const task = this.#queue.shift();
      if (task === undefined) return;
      const running = this.#run(task)
        .then(task.resolve, task.reject)
        .finally(() => {
          this.#running.delete(running);
          this.#pump();
        });
      this.#running.add(running);
    }
  }

  async #run(task: Task): Promise<WindowProof> {
    const files = await this.#filesOf(task.chunk.circuit);
    for (let attempt = 1; ; attempt++) {
      task.signal?.throwIfAborted();
      if (this.#closed) throw closed();
      try {
        return await this.#attempt(files, task);
      } catch (error) {
        if (this.#closed) throw closed();
        if (!hasCode(error, "PROVER_CRASHED") || attempt >= PROVER_ATTEMPTS_MAX) throw error;
      }
    }
  }

  #filesOf(circuit: CircuitEntry): Promise<Files> {
    const files = this.#files.get(circuit.name) ?? provingFiles(circuit);
    this.#files.set(circuit.name, files);
    return files.catch((error: unknown) => {
      this.#files.delete(circuit.name);
      throw error;
    });
  }

  async #attempt(files: Files, task: Task): Promise<WindowProof> {
    const child = this.#takeChild(files);
    try {
      return await this.#proveIn(child, files, task);
    } finally {
      this.#busy.delete(child);
      if (child.alive && !this.#closed) this.#idle.push(child);
    }
  }

  #takeChild(files: Files): ProverChild {
    let child = this.#idle.pop();
    // A process can end while it is idle: killed from outside, or out of memory.
    while (child !== undefined && !child.alive) child = this.#idle.pop();
    child ??= new ProverChild(this.#options.proverPath ?? files.proverPath);
    this.#busy.add(child);
    return child;
  }

  async #proveIn(child: ProverChild, files: Files, { chunk, signal }: Task): Promise<WindowProof> {
    const timeout = AbortSignal.timeout(this.#options.timeoutMs);
    // Nothing but its end stops a process in the middle of a proof.
    const stop = (): void => child.kill();
    timeout.addEventListener("abort", stop, { once: true });
    signal?.addEventListener("abort", stop, { once: true });
    try {
      const reply = await child.request(this.#request(files, chunk));
      return readProof(reply, chunk);
    } catch (error) {
      signal?.throwIfAborted();
      if (!timeout.aborted) throw error;
      throw new IpdmError("PROVER_TIMEOUT", `a proof took longer than ${this.#options.timeoutMs} ms`, {
        retry: "later",
        cause: error,
      });
    } finally {
      timeout.removeEventListener("abort", stop);
      signal?.removeEventListener("abort", stop);
    }
  }

  #request(files: Files, { circuit, values, salt, claim }: WindowChunk): ProveRequest {
    const { rowsMax } = circuit;
    const offset = offsetOf(circuit);
    const row = <T>(of: (value: bigint) => T, padding: T): string[] =>
      Array.from({ length: rowsMax }, (_, i) => String(i < values.length ? of(values[i] as bigint) : padding));
    this.#lastId += 1;
    return {
      id: this.#lastId,
      kind: "prove",
      wasmPath: files.wasmPath,
      zkeyPath: files.zkeyPath,
      zkeySha256: files.zkeySha256,
      input: {
        context: String(claim.context),
        commitment: String(claim.commitment),
        count: String(claim.count),
        sum: String(elementOf(claim.sum)),
        min: String(elementOf(claim.min)),
        max: String(elementOf(claim.max)),
        values: row((value) => value + offset, 0n),
        active: row(() => 1, 0),
        salt: String(salt),
      },
    };
  }
}

function readProof(reply: Awaited<ReturnType<ProverChild["request"]>>, { circuit, claim }: WindowChunk): WindowProof {
  const expected = publicInputsOf(claim);
  if (reply.kind === "failed") throw new IpdmError(reply.code, reply.message);
  const proof = reply.kind === "proved" ? proofFromJson(reply.proof) : undefined;
  if (reply.kind !== "proved" || proof === undefined)
    throw new IpdmError("PROOF_FAILED", "a prover process answered with no proof");
  if (reply.publicSignals.join() !== expected.join()) {
    throw new IpdmError("PROOF_FAILED", "a prover process proved other public inputs than it was asked to");
  }
  return { circuit: circuit.name, proof, publicInputs: expected, cost: reply.cost };
}

function closed(): IpdmError {
  return new IpdmError("PROVER_CLOSED", "the prover is closed");
}
