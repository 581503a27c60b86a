import type { RunProgress } from "../run/options.ts";
import { counted, number } from "./counted.ts";

/**
 * The line that says how a run goes: rows, rows a second, and the time left where the total is known or estimated. `seconds` is how
 * long the nodes have been running: only what this run did since makes its rate.
 */
export function progressLine(progress: RunProgress, seconds: number): string {
  const { rowsIn, rowsRecovered, rowsTotal, isEstimate, certificates, proofs, phase } = progress;
  const rate = seconds > 0 ? (rowsIn - rowsRecovered) / seconds : 0;
  const isRead = rowsTotal !== undefined && rowsIn >= rowsTotal;
  const now = isRead && !isEstimate && phase === "running" ? "committing and proving" : phase;
  const isOpen = rowsTotal !== undefined && !isRead;
  const of = isOpen
    ? ` of ${isEstimate ? `about ${number(Number(rowsTotal.toPrecision(3)))}` : number(rowsTotal)}`
    : "";
  const left = isOpen && rate > 0 ? ` · ${Math.ceil((rowsTotal - rowsIn) / rate)} s left` : "";
  const proved = proofs > 0 ? ` · ${counted(proofs, "proof")}` : "";
  return `${now}: ${number(rowsIn)}${of} rows · ${number(rate)} rows/s${left} · ${certificates} certified${proved}`;
}
