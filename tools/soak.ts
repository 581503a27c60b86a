// `npm run soak -- [--minutes 60] [--seed n]`: the random tests again and again, each round from the next seed, until the time
// is over or a round fails. A failure says its seed; `IPDM_SEED=<seed> npx vitest run --project <lane> <file>` shows it again. In the first
// round (`IPDM_SOAK=1`) nothing is a sample: 200 kills of actors, every byte of their stores flipped.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { argv, env, execPath, stdout } from "node:process";
import { parseArgs } from "node:util";
import { ROOT } from "./steps.ts";

const LANES = ["property", "simulation", "long"];
const { values } = parseArgs({
  args: argv.slice(2),
  options: { minutes: { type: "string", default: "60" }, seed: { type: "string", default: String(Date.now() % 1e9) } },
});
const minutes = wholeNumber("--minutes", values.minutes);
const first = wholeNumber("--seed", values.seed);

const until = performance.now() + minutes * 60_000;
let rounds = 0;
let failed = 0;
for (let seed = first; failed === 0 && performance.now() < until; seed++) {
  stdout.write(`round ${rounds + 1}, seed ${seed}\n`);
  const args = [join("node_modules", "vitest", "vitest.mjs"), "run", ...LANES.flatMap((lane) => ["--project", lane])];
  const { status } = spawnSync(execPath, args, {
    cwd: ROOT,
    stdio: "inherit",
    env: { ...env, IPDM_SEED: String(seed), IPDM_SOAK: seed === first ? "1" : "0" },
  });
  rounds++;
  if (status !== 0) {
    failed++;
    stdout.write(`seed ${seed} failed\n`);
  }
}
stdout.write(`${rounds - failed} passed, ${failed} failed\n`);
process.exitCode = failed;

function wholeNumber(flag: string, text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  stdout.write(`${flag} is a whole number, not ${text}\n`);
  process.exit(2);
}
