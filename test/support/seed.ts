import process from "node:process";
import fc from "fast-check";

/** Where the random tests of a run begin: the same for everybody, unless `IPDM_SEED` says otherwise. */
export const SEED = Number(process.env["IPDM_SEED"] ?? 20_261);

if (!Number.isInteger(SEED)) throw new Error(`IPDM_SEED is a whole number, not ${process.env["IPDM_SEED"]}`);
fc.configureGlobal({ seed: SEED });
