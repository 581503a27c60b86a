import { vi } from "vitest";
import { main } from "../../src/cli/main.ts";

/** What a command said, and how it ended. */
export interface Said {
  readonly exit: number;
  readonly text: string;
  readonly err: string;
  /** The last line, where it is JSON. */
  readonly last: Readonly<Record<string, unknown>>;
}

/** Runs a command in this process and collects what it writes. */
export async function say(...argv: readonly string[]): Promise<Said> {
  let text = "";
  let err = "";
  const into =
    (keep: (chunk: string) => void) =>
    (...args: readonly unknown[]): boolean => {
      keep(String(args[0]));
      // Whoever waits until a write is through gets told.
      const done = args.at(-1);
      if (typeof done === "function") queueMicrotask(done as () => void);
      return true;
    };
  const out = vi.spyOn(process.stdout, "write").mockImplementation(into((chunk) => (text += chunk)));
  const errors = vi.spyOn(process.stderr, "write").mockImplementation(into((chunk) => (err += chunk)));
  try {
    const exit = await main(argv);
    const line = text.trimEnd().split("\n").at(-1) ?? "";
    return { exit, text, err, last: line.startsWith("{") ? (JSON.parse(line) as Said["last"]) : {} };
  } finally {
    out.mockRestore();
    errors.mockRestore();
  }
}
