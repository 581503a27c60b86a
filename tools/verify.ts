// `npm run verify`: every rule of the house that a program can check, one line each.
import { stdout } from "node:process";
import { packageComplaints } from "./package-check.ts";
import { report, runSteps, type Step } from "./steps.ts";
import { tidyComplaints } from "./tidy.ts";

const STEPS: readonly Step[] = [
  { name: "lint", command: ["oxlint", "--type-aware", "--deny-warnings"] },
  { name: "types", command: ["tsc", "-p", "tsconfig.json"] },
  { name: "types-pure", command: ["tsc", "-p", "tsconfig.pure.json"] },
  { name: "format", command: ["biome", "check", "--max-diagnostics=20", "."] },
  { name: "knip", command: ["knip"] },
  { name: "package", check: packageComplaints },
  { name: "tidy", check: tidyComplaints },
];

const results = await runSteps(STEPS, (ran) => stdout.write(report(ran)));
const failed = results.filter((ran) => !ran.ok);
stdout.write(`${results.length - failed.length} of ${results.length} checks passed\n`);
process.exitCode = failed.length === 0 ? 0 : 1;
