import type { CID } from "multiformats/cid";
import type { Schema } from "../batch/schema.ts";
import type { InputRef } from "../consensus/result.ts";
import type { ProveWindows, TaskPlan } from "../runtime/plan.ts";
import type { ModuleSpec } from "../sandbox/port.ts";

/** What a task reads: how it is named, and the way back to the inputs; `after` as in a task's key. */
export interface Upstream {
  readonly ref: InputRef;
  readonly schema: Schema;
  readonly link: CID;
  readonly after?: CID;
}

/** A task as the planner adds it, its input by name. */
export interface NewTask extends Pick<TaskPlan, "name" | "operator" | "ports" | "live"> {
  readonly input: string;
  readonly beside?: readonly string[];
  readonly module?: ModuleSpec | null;
  readonly prove?: ProveWindows | null;
}
