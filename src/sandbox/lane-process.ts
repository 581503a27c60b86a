import { type ChildProcess, fork } from "node:child_process";
import { extname } from "node:path";
import { bareEnv } from "./bare-env.ts";
import type { FromChild, ThreadCall, ToChild } from "./lane-messages.ts";
import type { Thread, ThreadEvents } from "./lane-thread.ts";
import type { Loaded } from "./load.ts";
import type { Image } from "./state/image.ts";
import { copiedImage, sharedAgain } from "./state/image-copy.ts";

/** Milliseconds that a child has to answer whether an outcome is on its way; a child that does not is stuck itself. */
const ANSWER_MS = 1000;

/**
 * A {@link Thread} in a process of its own: a crash of the engine, or memory that runs out, ends that process alone. The child sees
 * no environment of this one but the folder of compiled code, and no arguments. Messages are copied, so a call costs more than in a thread of this process.
 */
export class LaneProcess implements Thread {
  private readonly child: ChildProcess;
  private readonly questions: ((isUnread: boolean) => void)[] = [];
  private ended = false;
  isReady = false;

  constructor(events: ThreadEvents) {
    // The same extension as this file: .ts while developing, .js when built.
    const file = new URL(`./lane-child${extname(new URL(import.meta.url).pathname)}`, import.meta.url);
    this.child = fork(file, [], {
      serialization: "advanced",
      env: bareEnv(),
      execArgv: [],
      stdio: ["ignore", "ignore", "ignore", "ipc"],
    });
    let reason = "the child process ended";
    this.child.on("message", (message: FromChild) => {
      if (this.ended) return;
      if (message.type === "ready") {
        this.isReady = true;
        events.ready();
      } else if (message.type === "outcome") events.outcome(sharedAgain(message.outcome));
      else if (message.type === "unread") this.questions.shift()?.(message.isUnread);
      else reason = message.message;
    });
    const lose = (what: string): void => {
      if (this.ended) return;
      this.ended = true;
      events.lost(what);
    };
    this.child.on("error", (error) => lose(error.message));
    this.child.on("exit", (code, signal) => lose(`${reason} (${signal ?? `exit code ${code}`})`));
  }

  /** Number of the process, while there is one. */
  get pid(): number | undefined {
    return this.child.pid;
  }

  load(module: number, { content, bytes }: Loaded): void {
    const { code: _, ...rest } = content;
    this.send({ type: "module", module, bytes, content: rest });
  }

  call(calls: readonly ThreadCall[]): void {
    this.send({ type: "calls", calls: calls.map(unshared) });
  }

  openSession(session: number, module: number, image: Image | null): void {
    this.send({ type: "open", session, module, image: image === null ? null : copiedImage(image) });
  }

  closeSession(session: number): void {
    this.send({ type: "close", session });
  }

  /** Outcomes come before the answer, since messages keep their order. */
  hasUnread(answer: (isUnread: boolean) => void): void {
    const once = (isUnread: boolean): void => {
      clearTimeout(timer);
      answer(isUnread);
    };
    const timer = setTimeout(() => {
      this.questions.splice(this.questions.indexOf(once), 1);
      answer(false);
    }, ANSWER_MS);
    this.questions.push(once);
    this.send({ type: "unread" });
  }

  hold(isBusy: boolean): void {
    if (isBusy) {
      this.child.ref();
      this.child.channel?.ref();
    } else {
      this.child.unref();
      this.child.channel?.unref();
    }
  }

  async end(): Promise<void> {
    this.ended = true;
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const gone = new Promise<void>((resolve) => this.child.once("exit", () => resolve()));
    // Whoever waits for the end must see it.
    this.child.ref();
    this.child.kill("SIGKILL");
    await gone;
  }

  private send(message: ToChild): void {
    // A child that is gone reports it by its exit; a message it missed is sent again to the next.
    if (this.child.connected) this.child.send(message, () => undefined);
  }
}

/** Shared memory does not go to another process. */
function unshared(call: ThreadCall): ThreadCall {
  const { work } = call;
  if (work.type !== "process" || work.batch instanceof ArrayBuffer) return call;
  return { ...call, work: { ...work, batch: new Uint8Array(new Uint8Array(work.batch)).buffer } };
}
