import { type ChildProcess, fork } from "node:child_process";
import { Socket } from "node:net";
import type { ProverReply, ProverRequest } from "../../circuits/messages.ts";
import { assert, IpdmError } from "../../src/core/errors.ts";
import { PROVER_STDERR_LENGTH_MAX } from "./limits.ts";

interface Waiting {
  readonly id: number;
  readonly resolve: (reply: ProverReply) => void;
  readonly reject: (error: unknown) => void;
}

/** A prover process: one request at a time. It does not keep its parent alive while it has nothing to do. */
export class ProverChild {
  readonly #process: ChildProcess;
  readonly #exited: Promise<void>;
  #alive = true;
  #waiting: Waiting | undefined;
  #stderr = "";

  constructor(proverPath: string) {
    // Nothing of the parent's flags or environment: a debugger port or a loader would change or break the child.
    this.#process = fork(proverPath, [], { execArgv: [], env: {}, stdio: ["ignore", "ignore", "pipe", "ipc"] });
    this.#exited = new Promise((resolve) => {
      const gone = (): void => {
        this.#alive = false;
        this.#waiting?.reject(this.#crashed());
        resolve();
      };
      this.#process.once("exit", gone);
      // A process that could not be started has no exit.
      this.#process.on("error", gone);
    });
    this.#process.on("message", (message) => {
      // Written by circuits/prover.ts of this package.
      const reply = message as ProverReply;
      if (reply.id === this.#waiting?.id) this.#waiting.resolve(reply);
    });
    this.#process.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-PROVER_STDERR_LENGTH_MAX);
    });
    this.#hold(false);
  }

  /** False once the process has ended. */
  get alive(): boolean {
    return this.#alive;
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** Sends a request and waits for its reply, one at a time. Fails with `PROVER_CRASHED` when the process ends first. */
  async request(request: ProverRequest): Promise<ProverReply> {
    assert(this.#waiting === undefined, "a prover process has one request at a time");
    if (!this.#alive) throw this.#crashed();
    this.#hold(true);
    try {
      return await new Promise<ProverReply>((resolve, reject) => {
        this.#waiting = { id: request.id, resolve, reject };
        // A failed send means that the process is ending; its exit tells.
        this.#process.send(request, (error) => {
          if (error !== null) this.kill();
        });
      });
    } finally {
      this.#waiting = undefined;
      this.#hold(false);
    }
  }

  /** Ends the process at once: the proof it works on cannot be interrupted otherwise. */
  kill(): void {
    this.#process.kill("SIGKILL");
  }

  /** Ends the process and waits until it is gone. */
  async close(): Promise<void> {
    if (this.#alive) {
      this.#process.ref();
      this.kill();
    }
    await this.#exited;
  }

  #hold(busy: boolean): void {
    // The process, its IPC channel and its stderr pipe each keep this process alive.
    const { channel, stderr } = this.#process;
    const handles = [this.#process, channel, stderr instanceof Socket ? stderr : undefined];
    for (const handle of handles) {
      if (busy) handle?.ref();
      else handle?.unref();
    }
  }

  #crashed(): IpdmError {
    const { exitCode, signalCode } = this.#process;
    return new IpdmError(
      "PROVER_CRASHED",
      `a prover process ended before its proof was done (${signalCode ?? `exit code ${exitCode}`})`,
      {
        retry: "later",
        facts: { exitCode, signalCode, stderr: this.#stderr },
      },
    );
  }
}
