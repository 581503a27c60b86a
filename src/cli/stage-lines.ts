import type { StageStatus } from "../run/stages.ts";
import { number } from "./counted.ts";

/** Stages that are shown at once; a terminal is no taller than that, and the others follow the first. */
const SHOWN_MAX = 12;
/** Seconds without a step after which a stage is said to stand still. */
const STILL_SECONDS = 10;

/** A line for each stage: its head, its lag, its rate, and what it waits for. */
export function stageLines(stages: readonly StageStatus[]): string[] {
  const width = Math.max(...stages.map(({ stage }) => stage.length), 0);
  const lines = stages.slice(0, SHOWN_MAX).map((stage) => `  ${stage.stage.padEnd(width)}  ${stageText(stage)}`);
  const more = stages.length - lines.length;
  return more > 0 ? [...lines, `  and ${more} more`] : lines;
}

function stageText({ headRows, lagRows, rowsPerSecond, idleSeconds, waits, input }: StageStatus): string {
  const head = `${number(headRows)} rows`;
  if (waits === "done") return `${head} · done`;
  const lag = lagRows === undefined ? "" : ` · ${number(lagRows)} behind`;
  const what = waits === "execution" ? "executes" : `waits for ${waits === "input" ? input : waits}`;
  const still = idleSeconds >= STILL_SECONDS ? ` · stands still for ${Math.floor(idleSeconds)} s` : "";
  return `${head}${lag} · ${number(rowsPerSecond)} rows/s · ${what}${still}`;
}
