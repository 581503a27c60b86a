import { from, groupBy, filter as keep, lastValueFrom, map, mergeMap, reduce, scan, toArray } from "rxjs";
import type { Rows } from "./data.ts";

/** A row as an object, as code without columns has it. */
export interface Bid {
  readonly at: number;
  readonly key: number;
  readonly price: number;
}

export function objects({ at, key, price }: Rows): Bid[] {
  return Array.from(at, (time, i) => ({ at: time, key: key[i] as number, price: price[i] as number }));
}

/** Count, sum and greatest by window and key with RxJS as it comes: groups of groups, folded. */
export async function rxjsTumble(rows: readonly Bid[]): Promise<number> {
  const found = await lastValueFrom(
    from(rows).pipe(
      groupBy((bid) => bid.at - (bid.at % 10_000_000)),
      mergeMap((window) =>
        window.pipe(
          groupBy((bid) => bid.key),
          mergeMap((group) =>
            group.pipe(
              reduce((all, { price }) => ({ n: all.n + 1, sum: all.sum + price, max: Math.max(all.max, price) }), {
                n: 0,
                sum: 0,
                max: Number.NEGATIVE_INFINITY,
              }),
            ),
          ),
        ),
      ),
      toArray(),
    ),
  );
  return found.length;
}

/** Filter, project and running total with RxJS as it comes. */
export async function rxjsScan(rows: readonly Bid[]): Promise<number> {
  return lastValueFrom(
    from(rows).pipe(
      keep((bid) => bid.price > 2500),
      map((bid) => ({ key: bid.key, euros: bid.price * 0.908 })),
      scan((total, { euros }) => total + euros, 0),
    ),
  );
}

/** The same by a loop over typed arrays that somebody wrote by hand, with every running total kept. */
export function loopScan({ key, price }: Rows): number {
  const keys = new Int32Array(price.length);
  const euros = new Float64Array(price.length);
  const totals = new Float64Array(price.length);
  let total = 0;
  let count = 0;
  for (let i = 0; i < price.length; i++) {
    const value = price[i] as number;
    if (!(value > 2500)) continue;
    const each = value * 0.908;
    total += each;
    keys[count] = key[i] as number;
    euros[count] = each;
    totals[count] = total;
    count++;
  }
  return total;
}

/** Count, sum and greatest by window and key with maps of objects, closed at the end. */
export function loopTumble({ at, key, price }: Rows): number {
  const windows = new Map<number, Map<number, { n: number; sum: number; max: number }>>();
  let found = 0;
  for (let i = 0; i < at.length; i++) {
    const time = at[i] as number;
    const start = time - (time % 10_000_000);
    let window = windows.get(start);
    if (window === undefined) {
      window = new Map();
      windows.set(start, window);
    }
    const value = price[i] as number;
    const group = window.get(key[i] as number);
    if (group === undefined) {
      window.set(key[i] as number, { n: 1, sum: value, max: value });
      found++;
    } else {
      group.n++;
      group.sum += value;
      if (value > group.max) group.max = value;
    }
  }
  return found;
}
