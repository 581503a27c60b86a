import process from "node:process";
import { SEED } from "./seed.ts";

/** Says once what the random tests of this run are made from. */
export default function report(): void {
  process.stderr.write(`random tests begin at seed ${SEED}; IPDM_SEED=<number> chooses another\n`);
}
