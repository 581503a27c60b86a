// Three million flights, in columns, as one stream: which airport had the worst day?
import { aggregate, count, eventTime, filterRows, keyBy, max, openStream, sum, toRows, tumble } from "ipdm-runtime";

const FLIGHTS = "npm:vega-datasets/data/flights-3m.parquet"; // or a path to any Parquet, NDJSON or CSV file
let late = 0;

const perDay = openStream(FLIGHTS).pipe(
  eventTime("date", { outOfOrder: "0s" }), // which column is the time, and how far behind rows may come
  keyBy("origin"),
  tumble("1d", { lateness: "2h", late: { next: (batch) => (late += batch.rows) } }),
  aggregate({ flights: count(), minutes: sum("delay"), worst: max("delay") }),
  filterRows(({ flights }) => Number(flights) >= 100),
  toRows(),
);

const days: { day: string; origin: string; flights: number; minutes: number }[] = [];
await perDay.forEach(({ start, origin, flights, minutes }) => {
  const day = new Date(Number(start) / 1000).toISOString().slice(0, 10); // times are microseconds since 1970
  days.push({ day, origin: String(origin), flights: Number(flights), minutes: Number(minutes) });
});

days.sort((a, b) => b.minutes / b.flights - a.minutes / a.flights);
console.table(days.slice(0, 5));
console.log(`${days.length} days of airports with at least 100 flights; ${late} rows came too late`);
