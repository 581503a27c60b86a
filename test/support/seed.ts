import process from "node:process";
import fc from "fast-check";

const CHOSEN = process.env["IPDM_SEED"];
const HOUR_MS = 3_600_000;

/** Where the random tests of a run begin: the same for everybody, unless `IPDM_SEED` says otherwise. */
export const SEED = Number(CHOSEN ?? 20_261);

/** Where tests begin that have another seed in every hour. They say it in their names. */
export const ROTATING_SEED = CHOSEN === undefined ? Math.floor(Date.now() / HOUR_MS) : SEED;

/** Whether this run has hours to spend (`npm run soak`): what is a sample else is everything then. */
export const IS_SOAK = process.env["IPDM_SOAK"] === "1";

if (!Number.isInteger(SEED)) throw new Error(`IPDM_SEED is a whole number, not ${CHOSEN}`);
fc.configureGlobal({ seed: SEED });
