import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { CELL_FUEL } from "../../../src/sandbox/host/cell.ts";
import { EXTISM_FUNCTIONS, EXTISM_INPUT, EXTISM_OUTPUT, EXTISM_TABLE } from "../../../src/sandbox/host/extism.ts";
import { REDPANDA_FUNCTIONS, REDPANDA_TABLE } from "../../../src/sandbox/host/redpanda.ts";
import type { HostFunction } from "../../../src/sandbox/host/table.ts";

const page = (name: string): Promise<string> =>
  readFile(new URL(`../../../docs/reference/${name}.md`, import.meta.url), "utf8");

/** The functions of a page's table: names, type, fuel of a call and of a byte. */
function documented(text: string): Record<string, readonly unknown[]> {
  const rows = [...text.matchAll(/^\| (`[a-z0-9_`, ]+`) \| `(\(.*?)` \| (\d+) \| ([\d.]+) \|/gm)];
  return Object.fromEntries(
    rows.flatMap(([, names = "", type, call, byte]) =>
      [...names.matchAll(/`(\w+)`/g)].map(([, name = ""]) => [name, [type, Number(call), Number(byte)]] as const),
    ),
  );
}

function coded(table: Readonly<Record<string, HostFunction>>): Record<string, readonly unknown[]> {
  return Object.fromEntries(
    Object.entries(table).map(([name, { signature, fuel, fuelPerByte }]) => [
      name.slice(name.lastIndexOf(".") + 1),
      [signature, fuel, fuelPerByte],
    ]),
  );
}

describe("the pages of host functions", () => {
  it.each([
    ["extism", EXTISM_FUNCTIONS, EXTISM_TABLE, 26],
    ["redpanda", REDPANDA_FUNCTIONS, REDPANDA_TABLE, 6],
  ] as const)("have every function of %s with its type and prices", async (name, table, version, count) => {
    const text = await page(name);
    expect(documented(text)).toEqual(coded(table));
    expect(Object.keys(table)).toHaveLength(count);
    expect(text).toContain(`\`${version}+ipdm-wasi/2\``);
  });

  it("say what a row costs", async () => {
    const { fuel, fuelPerByte } = EXTISM_INPUT;
    const output = EXTISM_OUTPUT;
    expect(await page("extism")).toContain(
      `takes ${fuel} and ${fuelPerByte} a byte for its input,\n${output.fuel} and ${output.fuelPerByte} a byte for its output`,
    );
    expect(await page("extism")).toContain(`and ${CELL_FUEL} for each row that comes out for each declared column`);
    expect(await page("redpanda")).toContain(`Each record written costs ${CELL_FUEL} more for each declared column`);
    expect(await page("wasi")).toContain(
      `Each line of standard output costs ${CELL_FUEL} more for each declared column`,
    );
  });
});
