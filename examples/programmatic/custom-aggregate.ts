// An aggregate of your own: the volume-weighted price of each share, over ten minutes, every five.
import {
  aggregate,
  col,
  columns,
  count,
  custom,
  eventTime,
  hop,
  keyBy,
  rowSource,
  toRows,
  withColumns,
} from "ipdm-runtime/streams";

/** What the trades of a group come to; plain data, so that a savepoint can hold it. */
type Sums = { readonly paid: bigint | number; readonly shares: bigint | number };

const trades = columns({ at: "timestamp", share: "utf8", cents: "i64", pieces: "i64" });
const minute = 60_000_000n;
const rows = Array.from({ length: 24 }, (_, i) => ({
  at: BigInt(i) * minute,
  share: i % 3 === 0 ? "IPDM" : "ACME",
  cents: BigInt(1000 + 7 * i),
  pieces: BigInt(1 + (i % 5)),
}));

// Both numbers of a trade in one: an aggregate sees one column. Whole numbers stay exact.
const perShare = rowSource(rows, trades).pipe(
  withColumns({ trade: col("cents").times(1000).plus(col("pieces")) }),
  eventTime("at", { outOfOrder: "0s" }),
  keyBy("share"),
  hop("10m", "5m"),
  aggregate({
    trades: count(),
    price: custom("trade", {
      type: "f64?",
      zero: (): Sums => ({ paid: 0n, shares: 0n }),
      add: (sums, trade: bigint) => {
        const pieces = trade % 1000n;
        return { paid: BigInt(sums.paid) + (trade / 1000n) * pieces, shares: BigInt(sums.shares) + pieces };
      },
      merge: (a, b) => ({ paid: BigInt(a.paid) + BigInt(b.paid), shares: BigInt(a.shares) + BigInt(b.shares) }),
      value: ({ paid, shares }) => (Number(shares) === 0 ? null : Number(paid) / Number(shares)),
    }),
  }),
  toRows(),
);

await perShare.forEach(({ start, share, trades: n, price }) => {
  console.log(`${share} from minute ${Number(start / minute)}: ${n} trades at ${price?.toFixed(2)}`);
});
