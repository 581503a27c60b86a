/** Keys and list positions that lead from the root of a configuration to one value. */
export type ConfigPath = readonly (string | number)[];

/** Something wrong at one place of a configuration, before the place is known as line and column. */
export interface Finding {
  readonly path: ConfigPath;
  /** Point at the key, not at its value. */
  readonly atKey: boolean;
  readonly message: string;
  readonly hint?: string;
}

/** Something wrong (or only odd, where it stands among warnings) in a configuration file; `where` is `file:line:column`. */
export interface Problem {
  readonly where: string;
  readonly message: string;
  readonly hint?: string;
}

/** A place as people write it: `tasks.daily.prove.windows[0]`. */
export function placeName(path: ConfigPath): string {
  let text = "";
  for (const step of path) text += typeof step === "number" ? `[${step}]` : text === "" ? step : `.${step}`;
  return text === "" ? "the configuration" : text;
}
