import { styleText } from "node:util";
import type { Failure } from "./failure.ts";
import { printable } from "./printable.ts";

/** One of several things that are wrong at once. */
interface Problem {
  readonly where: string;
  readonly message: string;
  readonly hint?: string;
}

/** How a command talks: results on stdout, narration on stderr. */
export interface TerminalOptions {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly verbose: boolean;
}

/** Milliseconds between two drawings of the progress line. */
const REDRAW_MS = 100;
/** Milliseconds between two plain progress lines where there is no terminal. */
const PLAIN_MS = 2000;

/** Writes what people and programs read. Colour and the progress line are for terminals only (NO_COLOR and CI are respected). */
export class Terminal {
  readonly options: TerminalOptions;
  private readonly live: boolean;
  /** Lines of progress that stand on the terminal. */
  private drawn = 0;
  private lastAt = 0;

  constructor(options: TerminalOptions) {
    this.options = options;
    this.live = process.stderr.isTTY === true && process.env["CI"] === undefined && !options.json;
  }

  /** One line of result. What a terminal would obey in it is shown instead, here and in everything below. */
  print(line: string): void {
    this.clear();
    process.stdout.write(`${printable(line)}\n`);
  }

  /** One JSON object of result. */
  json(value: object): void {
    process.stdout.write(`${JSON.stringify({ v: 1, ...value })}\n`);
  }

  /** One line of narration; `mark` stands before it as it is, in colour. */
  say(line: string, mark = ""): void {
    if (this.options.quiet || this.options.json) return;
    this.clear();
    process.stderr.write(`${mark}${printable(line)}\n`);
  }

  /** What is going on now: redrawn in place on a terminal, with lines below it; elsewhere the first line, now and then. */
  progress(line: () => string, below: () => readonly string[] = () => []): void {
    if (this.options.quiet || this.options.json) return;
    const now = performance.now();
    if (now - this.lastAt < (this.live ? REDRAW_MS : PLAIN_MS)) return;
    this.lastAt = now;
    if (!this.live) {
      process.stderr.write(`${line()}\n`);
      return;
    }
    const columns = process.stderr.columns || 80;
    const rows = process.stderr.rows || 24;
    // One line too many, or one too long, and the terminal scrolls: the next drawing would begin in the wrong place.
    const lines = [line(), ...below()]
      .slice(0, Math.max(1, rows - 1))
      .map((one) => printable(one).slice(0, columns - 1));
    process.stderr.write(`${this.erasing()}${lines.join("\n")}`);
    this.drawn = lines.length;
  }

  /** An error: what, where, what to try. */
  fail(failure: Failure, error: unknown): void {
    this.clear();
    const { code, message, where, hint } = failure;
    const problems = Array.isArray(failure.facts["problems"]) ? (failure.facts["problems"] as readonly Problem[]) : [];
    if (this.options.json) {
      this.json({
        event: "error",
        code,
        message,
        ...(where === undefined ? {} : { where }),
        ...(hint === undefined ? {} : { hint }),
        ...(problems.length === 0 ? {} : { problems }),
        exit: failure.exit,
      });
    }
    const tell = (line: string): boolean => process.stderr.write(`${printable(line)}\n`);
    process.stderr.write(`${this.paint("red", `✗ ${printable(code)}`)} `);
    tell(message);
    if (where !== undefined && !message.includes(where)) tell(`  where: ${where}`);
    if (hint !== undefined) tell(`  try:   ${hint}`);
    for (const also of problems.slice(1))
      tell(`  also:  ${also.where}: ${also.message}${also.hint === undefined ? "" : ` (${also.hint})`}`);
    if (this.options.verbose && error instanceof Error && error.stack !== undefined)
      for (const line of error.stack.split("\n")) tell(line);
  }

  /** Text in a colour, where colours are wanted on stderr. */
  paint(style: "red" | "green" | "yellow" | "dim" | "bold", text: string): string {
    return styleText(style, text, { stream: process.stderr });
  }

  private clear(): void {
    if (this.drawn > 0) process.stderr.write(this.erasing());
    this.drawn = 0;
  }

  /** Goes to the beginning of what was drawn, and erases from there on. */
  private erasing(): string {
    return `\r${this.drawn > 1 ? `\x1b[${this.drawn - 1}A` : ""}\x1b[J`;
  }
}
