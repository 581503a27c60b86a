// npm run bench -- <name> [--rounds n] [--json]: a table, and with --json the same as one line at the end.
import { stderr, stdout } from "node:process";
import { parseArgs } from "node:util";
import { type Bench, table } from "./harness.ts";

const BENCHES: Readonly<Record<string, () => Promise<Bench>>> = {
  flights: async () => (await import("./flights.ts")).flights,
  journal: async () => (await import("./journal.ts")).journal,
  sandbox: async () => (await import("./sandbox.ts")).sandbox,
  chain: async () => (await import("./chain.ts")).chain,
  streams: async () =>
    both((await import("./streams.ts")).streams, (await import("./streams-nexmark.ts")).streamsNexmark),
  "streams-nexmark": async () => (await import("./streams-nexmark.ts")).streamsNexmark,
  checkpoint: async () => (await import("./sandbox/checkpoint.ts")).checkpoint,
};

process.exitCode = await main();

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    strict: false,
    options: { json: { type: "boolean" }, rounds: { type: "string", default: "3" } },
  });
  const name = positionals[0] ?? "";
  const load = Object.hasOwn(BENCHES, name) ? BENCHES[name] : undefined;
  const rounds = Number(values["rounds"]);
  if (load === undefined || positionals.length !== 1 || !Number.isInteger(rounds) || rounds < 1) {
    stderr.write(
      `npm run bench -- <name> [--rounds n] [--json], where <name> is one of: ${Object.keys(BENCHES).join(", ")}\n`,
    );
    return 2;
  }
  try {
    const bench = await load();
    const measured = await bench(rounds, (line) => stderr.write(`${line}\n`));
    stdout.write(table(measured));
    if (values["json"] === true) stdout.write(`${JSON.stringify({ v: 1, bench: name, metrics: measured.metrics })}\n`);
    return 0;
  } catch (error) {
    stderr.write(`bench ${name} failed: ${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  }
}

/** Two benches as one, the first first. */
function both(first: Bench, second: Bench): Bench {
  return async (rounds, tell) => {
    const [a, b] = [await first(rounds, tell), await second(rounds, tell)];
    return { metrics: { ...a.metrics, ...b.metrics }, notes: { ...a.notes, ...b.notes } };
  };
}
