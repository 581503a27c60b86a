/** Why the host stops a call: what the module did, in the terms of an outcome. */
export type StopType = "trap" | "memory" | "output-invalid" | "fuel" | "stack" | "denied";

/** Stops a call for a reason that the host found. */
export class Stop extends Error {
  readonly type: StopType;

  constructor(type: StopType, message: string) {
    super(message);
    this.type = type;
  }
}
