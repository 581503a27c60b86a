// Two streams, one question: which payments came within ten minutes of their order, and which orders were never paid?
import { columns, eventTime, explain, intervalJoin, keyBy, rowSource, select, toRows } from "ipdm-runtime/streams";

const minute = 60_000_000n; // times are microseconds
const orders = rowSource(
  [
    { at: 0n * minute, order: 1n, amount: 20 },
    { at: 3n * minute, order: 2n, amount: 35 },
    { at: 2n * minute, order: 3n, amount: 7 }, // a minute out of order
    { at: 9n * minute, order: 4n, amount: 50 },
  ],
  columns({ at: "timestamp", order: "i64", amount: "f64" }),
  { name: "orders" },
);
const payments = rowSource(
  [
    { at: 4n * minute, order: 2n, method: "card" },
    { at: 15n * minute, order: 1n, method: "transfer" }, // too late for its order
    { at: 16n * minute, order: 4n, method: "card" },
  ],
  columns({ at: "timestamp", order: "i64", method: "utf8" }),
  { name: "payments" },
);

const paid = intervalJoin(
  { orders: orders.pipe(eventTime("at", { outOfOrder: "1m" }), keyBy("order")) },
  { payments: payments.pipe(eventTime("at", { outOfOrder: "1m" }), keyBy("order")) },
  { after: "10m", kind: "left" }, // orders without a payment come out once none can come any more
).pipe(select("order", "amount", "method"));

console.log((await explain(paid)).text);
await paid.pipe(toRows()).forEach(({ order, amount, method }) => {
  console.log(`order ${order} over ${amount}: ${method ?? "never paid in time"}`);
});
