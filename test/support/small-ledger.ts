import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ROOT } from "./command.ts";
import { numbers } from "./small-flights.ts";

/** What a small ledger may differ in. */
export interface LedgerOptions {
  readonly rows: number;
  readonly replicas?: number;
  /** Further keys of `domain`, as YAML: `, verify: sample`. */
  readonly domain?: string;
  readonly unit?: number;
  /** Row with an account missing, at which the module traps. */
  readonly broken?: number;
}

/** Payments of which every fifth or so comes again, as lines of CSV without a head. */
export function paymentLines(rows: number): string[] {
  const next = numbers(19_700_101);
  const lines: string[] = [];
  for (let row = 0; row < rows; row++) {
    const again = lines.length > 0 && next(5) === 0 ? lines[Math.max(0, lines.length - 1 - next(3000))] : undefined;
    lines.push(again ?? `p${row},account-${next(700)},${next(20_000) - 5000}`);
  }
  return lines;
}

/** What the ledger module makes of payments, written the plain way. */
export function ledgerOf(lines: readonly string[]): string {
  const seen = new Set<string>();
  const accounts = new Map<string, { balance: number; payments: number }>();
  const out = ["id,account,amount,balance,payment"];
  for (const line of lines) {
    const [id = "", account = "", amount] = line.split(",");
    if (seen.has(id)) continue;
    seen.add(id);
    const { balance, payments } = accounts.get(account) ?? { balance: 0, payments: 0 };
    const now = { balance: balance + Number(amount), payments: payments + 1 };
    accounts.set(account, now);
    out.push(`${line},${now.balance},${now.payments}`);
  }
  return `${out.join("\n")}\n`;
}

/** Writes a relative of the example `stateful` into a folder. Returns the configuration's path. */
export async function writeLedger(dir: string, options: LedgerOptions): Promise<string> {
  const { rows, replicas = 1, domain = "", unit = 1024, broken } = options;
  const lines = paymentLines(rows);
  if (broken !== undefined) lines[broken] = "p,,1";
  await writeFile(join(dir, "payments.csv"), `id,account,amount\n${lines.join("\n")}\n`);
  const path = join(dir, "ipdm.yaml");
  await writeFile(
    path,
    `name: small-ledger
domain: { replicas: ${replicas}${domain} }
sources:
  payments: { file: ./payments.csv, columns: { id: utf8, account: dict, amount: i64 } }
modules:
  ledger: { file: ${join(ROOT, "examples", "stateful", "ledger.wasm")}, kind: stateful, unit: ${unit} }
tasks:
  booked: { module: ledger, input: payments }
outputs:
  table: { input: booked, file: ledger.csv }
`,
  );
  return path;
}
