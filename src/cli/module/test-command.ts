import { mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { EXIT_CODES, IpdmError } from "../../core/errors.ts";
import { type GivenModule, readGivenModule } from "../../registry/given-module.ts";
import { ndjsonOf, runModule } from "../../registry/rows.ts";
import { writeWhole } from "../../sinks/atomic-file.ts";
import type { Terminal } from "../terminal.ts";
import { inputOf } from "./check-command.ts";

const INPUT = ".input.ndjson";
const EXPECTED = ".expected.ndjson";
/** Lines of a difference that are shown. */
const DIFFERENCES_MAX = 20;
/** Most bytes of an output that is compared. */
const OUTPUT_BYTES_MAX = 64 * 1024 * 1024;

/** Flags of `module test`, as the command line gives them. */
export interface TestFlags {
  readonly update?: boolean;
}

/**
 * `ipdm-runtime module test <dir>`: runs the module of a folder over each `cases/<name>.input.ndjson` and compares what comes out with
 * `<name>.expected.ndjson`, line by line. Returns the exit code. Throws `MODULE_CASES_MISSING`, `MODULE_CASE_TOO_LARGE` (an output of
 * more than `outputBytesMax`), and what the module's run throws.
 */
export async function testCommand(
  dir: string,
  flags: TestFlags,
  terminal: Terminal,
  signal: AbortSignal,
  outputBytesMax: number = OUTPUT_BYTES_MAX,
): Promise<number> {
  const given = await readGivenModule(dir);
  const folder = join(given.described.folder, "cases");
  const names = (await readdir(folder).catch(() => []))
    .filter((file) => file.endsWith(INPUT))
    .map((file) => file.slice(0, -INPUT.length))
    .sort();
  if (names.length === 0)
    throw new IpdmError("MODULE_CASES_MISSING", `${folder} holds no case`, {
      kind: "config",
      where: folder,
      hint: `a case is <name>${INPUT} with <name>${EXPECTED} beside it`,
    });
  let failed = 0;
  for (const name of names) {
    const { text, fuel } = await outputOf(given, join(folder, name + INPUT), outputBytesMax, signal);
    const file = join(folder, name + EXPECTED);
    const differences = flags.update === true ? await update(file, text) : await compare(file, text);
    if (differences.length > 0) failed++;
    if (terminal.options.json) terminal.json({ event: "case", name, ok: differences.length === 0, fuel, differences });
    else {
      terminal.print(`${differences.length === 0 ? "✓" : "✗"} ${name} (${fuel} fuel)`);
      for (const line of differences) terminal.print(`    ${line}`);
    }
  }
  if (terminal.options.json) terminal.json({ event: "tested", ok: failed === 0, cases: names.length, failed });
  else terminal.print(failed === 0 ? `${names.length} cases pass` : `${failed} of ${names.length} cases differ`);
  return failed === 0 ? 0 : EXIT_CODES.failed;
}

async function outputOf(
  given: GivenModule,
  input: string,
  bytesMax: number,
  signal: AbortSignal,
): Promise<{ readonly text: string; readonly fuel: number }> {
  return await runModule(
    { ...given, time: given.described.inputTime },
    inputOf(input, {}, given),
    signal,
    async (run) => {
      const parts: Uint8Array[] = [];
      let bytes = 0;
      for await (const part of ndjsonOf(run)) {
        bytes += part.length;
        if (bytes > bytesMax)
          throw new IpdmError("MODULE_CASE_TOO_LARGE", `the output for ${input} has more than ${bytesMax} bytes`, {
            kind: "config",
            where: input,
            hint: "make the case smaller",
          });
        parts.push(part);
      }
      return { text: Buffer.concat(parts).toString(), fuel: run.counts.fuel };
    },
  );
}

async function update(file: string, text: string): Promise<readonly string[]> {
  await mkdir(join(file, ".."), { recursive: true });
  await writeWhole(file, Buffer.from(text));
  return [];
}

/** The lines that differ, as `- expected` and `+ found` with their numbers; none where all are the same. */
async function compare(file: string, found: string): Promise<readonly string[]> {
  const expected = await readFile(file, "utf8").catch((cause: unknown) => {
    throw new IpdmError("MODULE_CASES_MISSING", `there is no ${file}`, {
      kind: "config",
      where: file,
      hint: "`ipdm-runtime module test <dir> --update` writes what comes out now; read it before you keep it",
      cause,
    });
  });
  const wanted = linesOf(expected);
  const made = linesOf(found);
  const differences: string[] = [];
  for (let at = 0; at < Math.max(wanted.length, made.length); at++) {
    if (wanted[at] === made[at]) continue;
    if (differences.length >= DIFFERENCES_MAX) return [...differences, "…"];
    if (wanted[at] !== undefined) differences.push(`- ${at + 1}: ${wanted[at]}`);
    if (made[at] !== undefined) differences.push(`+ ${at + 1}: ${made[at]}`);
  }
  return differences;
}

function linesOf(text: string): readonly string[] {
  return text === "" ? [] : text.replace(/\r?\n$/, "").split(/\r?\n/);
}
