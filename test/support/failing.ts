import { writeFile } from "node:fs/promises";
import { expect } from "vitest";
import { type Ended, lastJson, run, type StartOptions } from "./command.ts";
import type { TestFolder } from "./folder.ts";

/** A replacement in a configuration's text. */
export type Change = readonly [from: string | RegExp, to: string];

/** A command that failed, and the error that its last line tells. */
export type Failed = Ended & { readonly error: Record<string, unknown> };

/** Runs a good configuration with changes, in a process of its own unless told otherwise, and checks what holds of every error. */
export async function runChanged(
  folder: TestFolder,
  good: string,
  changes: readonly Change[],
  args: readonly string[] = [],
  options: StartOptions & { readonly by?: typeof run } = {},
): Promise<Failed> {
  const { by = run, ...rest } = options;
  const config = `${folder.fresh("c")}.yaml`;
  await writeFile(
    config,
    changes.reduce((text, [from, to]) => text.replace(from, to), good),
  );
  const out = args.includes("--out") ? [] : ["--out", folder.fresh("out")];
  return checkFailed(await by(["run", config, ...out, ...args, "--json"], { cwd: folder.path, ...rest }));
}

/** What holds of every error: an object as the last line, a next step, one message for people, and no stack. */
export function checkFailed(ended: Ended): Failed {
  const error = lastJson(ended);
  expect(error).toMatchObject({ v: 1, event: "error", exit: ended.code });
  expect(error["hint"], `${String(error["code"])} says what to try`).toBeTypeOf("string");
  expect(ended.stderr).toContain(`✗ ${String(error["code"])} `);
  expect(ended.stderr).not.toMatch(/\n\s+at |UNEXPECTED|Error:/);
  return { ...ended, error };
}
