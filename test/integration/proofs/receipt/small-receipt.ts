import { type Fixture, flightsCsv, runFixture } from "./receipt-fixture.ts";

const CONFIG = `
name: small
domain: { id: tests, replicas: 1, quorum: 1, verify: full }
sources:
  flights:
    file: ./flights.csv
    columns: { date: timestamp, delay: i32, distance: i32, origin: utf8 }
    time: { column: date, outOfOrder: 0s }
tasks:
  daily:
    input: flights
    window: { tumble: 1d, lateness: 0s }
    key: [origin]
    aggregate: { flights: count(), delay: sum(delay) }
    prove: { windows: 1 }
outputs:
  table: { input: daily, file: daily.csv }
`;

/** A small receipt: one node, one task, one proof. */
export function runSmall(): Promise<Fixture> {
  return runFixture({ replicas: 1, config: CONFIG, csv: flightsCsv((lines) => lines.slice(0, 300)), batchRows: 256 });
}
