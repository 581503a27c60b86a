// Sessions of trouble in a metric: readings far above what is usual, gathered while they follow each other closely.
// node examples/programmatic/anomaly-sessions.ts [file.csv with the columns timestamp and value]
import { readFileSync } from "node:fs";
import {
  aggregate,
  col,
  columns,
  count,
  eventTime,
  filter,
  first,
  last,
  max,
  quantile,
  rowSource,
  session,
  toRows,
  tumble,
} from "ipdm-runtime/streams";

const readings = columns({ at: "timestamp", value: "f64" });
const rows = process.argv[2] === undefined ? generated() : recorded(process.argv[2]);
const metric = () => rowSource(rows, readings).pipe(eventTime("at", { outOfOrder: "0s" }));

// What is usual: the value that 95 of 100 readings stay below, over everything.
let usual = 0;
await metric()
  .pipe(tumble("36500d"), aggregate({ usual: quantile("value", 0.95) }), toRows())
  .forEach((row) => {
    usual = row.usual;
  });

const troubles = metric().pipe(
  filter(col("value").gt(1.2 * usual)),
  session("2h"),
  aggregate({ readings: count(), began: first("at"), ended: last("at"), worst: max("value") }),
  toRows(),
);
console.log(`${rows.length} readings, usually below ${usual.toFixed(1)}`);
await troubles.forEach(({ began, ended, readings: n, worst }) => {
  console.log(`${text(began)} to ${text(ended)}: ${n} ${n === 1n ? "reading" : "readings"}, up to ${worst.toFixed(1)}`);
});

function text(micros: bigint): string {
  return new Date(Number(micros / 1000n)).toISOString().slice(0, 16);
}

/** Two weeks, a reading each five minutes, with a daily rhythm and two troubles. */
function generated(): { at: bigint; value: number }[] {
  return Array.from({ length: 14 * 288 }, (_, i) => {
    const rhythm = 40 + 20 * Math.abs(((i % 288) - 144) / 144);
    const isTrouble = (i > 1200 && i < 1224) || (i > 3000 && i < 3010);
    return {
      at: BigInt(Date.UTC(2024, 0, 1)) * 1000n + BigInt(i) * 300_000_000n,
      value: rhythm + (isTrouble ? 45 : 0),
    };
  });
}

function recorded(path: string): { at: bigint; value: number }[] {
  const [, ...lines] = readFileSync(path, "utf8").trim().split("\n");
  return lines.map((line) => {
    const [at = "", value = ""] = line.split(",");
    return { at: BigInt(Date.parse(`${at.replace(" ", "T")}Z`)) * 1000n, value: Number(value) };
  });
}
