/** Why the host stops a call: what the module did, in the terms of an outcome. */
export type StopType = "trap" | "memory" | "output-invalid" | "fuel" | "stack" | "denied" | "failed";

/** Stops a call for a reason that the host found. */
export class Stop extends Error {
  readonly type: StopType;
  /** The module's own code, of a stop of type `failed`. */
  readonly code: string | undefined;

  constructor(type: StopType, message: string, code?: string) {
    super(message);
    this.type = type;
    this.code = code;
  }
}
