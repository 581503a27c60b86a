import { fork } from "node:child_process";
import { extname } from "node:path";
import { bareEnv } from "../bare-env.ts";
import { sandboxError } from "../errors.ts";
import type { CallOutcome, Exercise } from "./exercise.ts";
import type { ExerciseAnswer } from "./exercise-child.ts";

/** How long a process may take for all its calls, in milliseconds. */
const PROCESS_MS_MAX = 300_000;

/**
 * Runs an exercise in a process of its own, whose engine has the flags given (`--liftoff-only`, `--no-liftoff`: one of V8's two compilers
 * alone). Throws `LANE_FAULT` when the process cannot do it, and the signal's reason; the process is gone either way.
 */
export function exerciseInProcess(
  work: Exercise,
  flags: readonly string[],
  signal?: AbortSignal,
): Promise<CallOutcome[]> {
  // The same extension as this file: .ts while developing, .js when built.
  const file = new URL(`./exercise-child${extname(new URL(import.meta.url).pathname)}`, import.meta.url);
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) return reject(signal.reason as Error);
    const child = fork(file, [], {
      execArgv: [...flags],
      env: bareEnv(),
      serialization: "advanced",
      stdio: ["ignore", "ignore", "ignore", "ipc"],
    });
    const failed = (why: string): Error =>
      sandboxError("LANE_FAULT", `a process with ${flags.join(" ")} could not check the module: ${why}`, {
        retry: "later",
      });
    const end = (settle: () => void): void => {
      clearTimeout(late);
      signal?.removeEventListener("abort", stop);
      child.removeAllListeners();
      // It ends by itself after its answer; should it not, it ends here.
      child.on("error", () => undefined);
      child.kill("SIGKILL");
      settle();
    };
    const stop = (): void => end(() => reject(signal?.reason as Error));
    const late = setTimeout(() => end(() => reject(failed("it takes too long"))), PROCESS_MS_MAX); // deadline
    signal?.addEventListener("abort", stop, { once: true });
    child.once("error", (error) => end(() => reject(failed(error.message))));
    child.once("exit", (code, killed) => end(() => reject(failed(`it ended with ${code ?? killed}`))));
    child.once("message", (answer: ExerciseAnswer) =>
      end(() =>
        answer.type === "done"
          ? resolve([...answer.outcomes])
          : reject(
              answer.code === "MODULE_TIMEOUT"
                ? sandboxError("MODULE_TIMEOUT", `with ${flags.join(" ")}: ${answer.message}`, { kind: "failed" })
                : failed(`${answer.code}: ${answer.message}`),
            ),
      ),
    );
    child.send(work);
  });
}
