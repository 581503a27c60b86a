import { peer } from "../journal/peers.ts";
import type { Rows } from "./data.ts";

/** What of arquero the bench uses. */
interface Table {
  groupby(keys: Readonly<Record<string, string>>): Table;
  rollup(columns: Readonly<Record<string, string>>): Table;
  orderby(...columns: readonly string[]): Table;
  numRows(): number;
  array(name: string): ArrayLike<number>;
}
interface Arquero {
  table(columns: Readonly<Record<string, Float64Array | Int32Array>>): Table;
}

/** Count, sum and greatest by window and key with arquero, sorted; its table is made before. `undefined` where it is not installed. */
export async function arqueroTumble(rows: Rows): Promise<(() => number) | undefined> {
  const arquero = (await peer("arquero", "src/index.js")) as Arquero | undefined;
  if (arquero === undefined) return undefined;
  const table = arquero.table({ at: rows.at, key: rows.key, price: rows.price });
  return () => {
    const found = table
      .groupby({ start: "d => d.at - d.at % 10000000", key: "d => d.key" })
      .rollup({ n: "d => op.count()", sum: "d => op.sum(d.price)", max: "d => op.max(d.price)" })
      .orderby("start", "key");
    // Until it is read, a sorted table is only a promise.
    found.array("sum");
    return found.numRows();
  };
}
