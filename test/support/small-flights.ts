import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ROOT } from "./command.ts";

/** What a small configuration may differ in. */
export interface SmallOptions {
  readonly rows?: number;
  readonly replicas?: number;
  readonly quorum?: number;
  /** Further keys of `domain`, as YAML: `, verify: sample`. */
  readonly domain?: string;
  readonly aggregate?: string;
  readonly prove?: number;
  /** Path of the module; the example's own by default. */
  readonly module?: string;
}

/** Numbers that are the same everywhere (Park and Miller 1988). */
export function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % below;
  };
}

/** Flights as CSV, one a minute, in the columns of the example. */
export function smallCsv(rows: number): string {
  const next = numbers(20_010_101);
  const lines = ["date,delay,distance,origin,destination"];
  const airports = ["ATL", "LAS", "PHL", "SAV", "ORD"];
  for (let row = 0; row < rows; row++) {
    const at = new Date(Date.UTC(2001, 0, 1) + row * 60_000).toISOString().replace(".000Z", "Z");
    lines.push(`${at},${next(90) - 40},${100 + next(2000)},${airports[next(5)]},${airports[next(5)]}`);
  }
  return `${lines.join("\n")}\n`;
}

/** Writes a small relative of the example into a folder: the same module and window over a CSV. Returns the configuration's path. */
export async function writeSmall(dir: string, options: SmallOptions = {}): Promise<string> {
  const { rows = 30_000, replicas = 1, quorum = Math.floor(replicas / 2) + 1, domain = "", prove } = options;
  const {
    aggregate = "{ flights: count(), delay: sum(delay), worst: max(delay) }",
    module = join(ROOT, "examples", "flights", "late.wasm"),
  } = options;
  await writeFile(join(dir, "flights.csv"), smallCsv(rows));
  const path = join(dir, "ipdm.yaml");
  await writeFile(
    path,
    `name: small-flights
domain: { id: aviation, replicas: ${replicas}, quorum: ${quorum}${domain} }
sources:
  flights:
    file: ./flights.csv
    columns: { date: timestamp, delay: i64, distance: i64, origin: utf8, destination: utf8 }
    time: { column: date, outOfOrder: 0s }
modules:
  late: { file: ${module}, timeout: 5s }
tasks:
  delayed: { module: late, input: flights }
  daily:
    input: delayed
    window: { tumble: 1d, lateness: 0s }
    key: [origin]
    aggregate: ${aggregate}
${prove === undefined ? "" : `    prove: { windows: ${prove} }\n`}outputs:
  table: { input: daily, file: daily.csv }
`,
  );
  return path;
}
