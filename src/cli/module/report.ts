import type { GivenModule } from "../../registry/given-module.ts";
import type { FunctionFacts, ModuleFacts } from "../../sandbox/check/analyse.ts";
import type { CheckCalls, CheckReport } from "../../sandbox/check/check-module.ts";
import { HOST_TABLE } from "../../sandbox/host/table.ts";

/** Functions of a report for people. */
const FUNCTIONS_SHOWN = 5;

/** A check's report as people read it; the verdict is the last line. */
export function* reportLines(path: string, { operator, spec }: GivenModule, report: CheckReport): Generator<string> {
  const { facts, calls, faults, ok } = report;
  const kind = operator.unit === null ? "rows" : `batch of ${number(operator.unit)} rows`;
  yield `module        ${path}, ${operator.abi}, kind ${kind}`;
  if (facts !== undefined) yield* factLines(facts);
  const { fuelPerCall, fuelPerRow, memoryBytesMax, stackValuesMax, outputBytesMax } = spec;
  yield `may use       ${number(fuelPerCall)} fuel a call and ${number(fuelPerRow)} a row, ${number(memoryBytesMax)} bytes of memory, ${number(stackValuesMax)} values of stack, ${number(outputBytesMax)} bytes of output`;
  yield `may ask for   ${spec.capabilities.length === 0 ? "nothing" : spec.capabilities.join(", ")}`;
  if (calls !== undefined) yield* callLines(calls);
  yield "";
  for (const { code, message } of faults) yield `✗ ${code}: ${message}`;
  yield ok ? "PASSED" : "NOT PASSED";
}

function* factLines(facts: ModuleFacts): Generator<string> {
  const { original, instrumented, functions, memory, instructions } = facts;
  const growth = ((instrumented.bytes / original.bytes - 1) * 100).toFixed(0);
  yield `original      ${original.cid}, ${number(original.bytes)} bytes`;
  yield `instrumented  ${instrumented.cid}, ${number(instrumented.bytes)} bytes (${growth} % more)`;
  yield `tables        ${facts.costTable}, ${HOST_TABLE}`;
  yield `imports       ${listed(facts.imports)}`;
  yield `exports       ${listed(facts.exports)}`;
  yield `memory        ${memory === null ? "none" : `${number(memory.initial)} pages, ${memory.max === null ? "no maximum of its own" : `at most ${number(memory.max)}`}`}; ${number(facts.dataSegments)} data segments, ${number(facts.globals)} globals, ${facts.tables.length} tables`;
  yield `features      ${listed(facts.features)}`;
  const classes = Object.entries(instructions).filter(([, count]) => count > 0);
  yield `instructions  ${classes.map(([name, count]) => `${number(count)} ${name}`).join(", ")}`;
  yield `functions     ${number(functions.count)} with ${number(functions.loops)} loops, ${number(functions.recursive)} recursive; largest frame ${number(functions.largestFrame)} values, largest body ${number(functions.largestBytes)} bytes`;
  for (const facts of functions.costliest.slice(0, FUNCTIONS_SHOWN)) yield `  ${functionLine(facts)}`;
}

function functionLine({ index, names, cost, loops, loopDepth, isRecursive, frame }: FunctionFacts): string {
  const name = names.length === 0 ? `function ${index}` : `${names.join(", ")} (${index})`;
  const turns = loops === 0 ? "no loops" : `${loops} loops, ${loopDepth} deep`;
  return `${name}: ${number(cost)} fuel without turns of loops, ${turns}, frame ${number(frame)}${isRecursive ? ", recursive" : ""}`;
}

function* callLines(calls: CheckCalls): Generator<string> {
  const rows = calls.given ? "rows of the input" : "made-up rows";
  yield `calls         ${number(calls.calls)} over ${rows}, each in ${listed(calls.runs)}`;
  yield `completed     ${number(calls.completed)} with rows: ${number(calls.rows)} in, ${number(calls.rowsOut)} out, ${number(calls.fuel)} fuel, at most ${number(calls.fuelPerRowMost)} a row`;
  const stopped = Object.entries(calls.stopped).map(([code, count]) => `${count} with ${code}`);
  if (stopped.length > 0) yield `stopped       ${stopped.join(", ")}: the same in every run`;
  if (calls.splits > 0) yield `splits        ${number(calls.splits)} random ones change nothing`;
}

function listed(items: readonly string[]): string {
  const shown = items.slice(0, 12).join(", ");
  return items.length === 0 ? "none" : items.length > 12 ? `${shown} and ${items.length - 12} more` : shown;
}

function number(value: number): string {
  return value.toLocaleString("en-US");
}
