// A process that runs one exercise under the engine's flags it was started with, and answers on its channel.
import { hash as nodeHash } from "node:crypto";
import { flushCompileCache } from "node:module";
import { openLane } from "../lane.ts";
import { type CallOutcome, type Exercise, exercise } from "./exercise.ts";

/** What the process answers: the outcomes, or why it could not. */
export type ExerciseAnswer =
  | { readonly type: "done"; readonly outcomes: readonly CallOutcome[] }
  | { readonly type: "failed"; readonly code: string; readonly message: string };

process.once("message", (work: Exercise) => {
  // Its code is compiled and kept by now: the answer ends this process at once.
  flushCompileCache();
  void answer(work).then((said) => process.send?.(said, () => process.exit()));
});
// Whoever asked is gone.
process.once("disconnect", () => process.exit());

async function answer(work: Exercise): Promise<ExerciseAnswer> {
  const lane = openLane();
  try {
    return { type: "done", outcomes: await exercise((bytes) => nodeHash("sha256", bytes, "buffer"), lane, work) };
  } catch (error) {
    const { code, message } = error as { readonly code?: unknown; readonly message?: unknown };
    return { type: "failed", code: typeof code === "string" ? code : "LANE_FAULT", message: String(message) };
  } finally {
    await lane.close();
  }
}
