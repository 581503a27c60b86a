import process from "node:process";
import { vi } from "vitest";
import { main } from "../../src/cli/main.ts";
import { type Ended, lastJson, ROOT } from "./command.ts";

/**
 * Runs a command line to its end in this process, from the sources: what it writes and its exit code, without the start of a process.
 * One at a time. Signals, permissions and files shared with other processes need `run` of ./command.ts.
 */
export async function runHere(args: readonly string[], { cwd = ROOT }: { readonly cwd?: string } = {}): Promise<Ended> {
  const back = process.cwd();
  const [stdout, stderr] = [heard(process.stdout), heard(process.stderr)];
  const colour = process.env["NO_COLOR"];
  process.env["NO_COLOR"] = "1";
  process.chdir(cwd);
  try {
    const code = await main(args);
    return { code, stdout: stdout.text(), stderr: stderr.text(), memoryBytes: 0 };
  } finally {
    process.chdir(back);
    if (colour === undefined) delete process.env["NO_COLOR"];
    else process.env["NO_COLOR"] = colour;
    stdout.end();
    stderr.end();
  }
}

/** As `runJson` of ./command.ts, in this process. */
export async function runJsonHere(
  args: readonly string[],
  options: { readonly cwd?: string } = {},
): Promise<Record<string, unknown>> {
  const ended = await runHere([...args, "--json"], options);
  if (ended.code !== 0) throw new Error(`${args.join(" ")} ended with ${ended.code}: ${ended.stderr}\n${ended.stdout}`);
  return lastJson(ended);
}

/** Takes what is written to a stream instead of it. */
function heard(stream: NodeJS.WriteStream): { text(): string; end(): void } {
  let text = "";
  const spy = vi.spyOn(stream, "write").mockImplementation((part: unknown, encoding?: unknown, done?: unknown) => {
    text += typeof part === "string" ? part : Buffer.from(part as Uint8Array).toString();
    const callback = typeof encoding === "function" ? encoding : done;
    if (typeof callback === "function") queueMicrotask(() => (callback as () => void)());
    return true;
  });
  return { text: () => text, end: () => spy.mockRestore() };
}
