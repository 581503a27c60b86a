/** Rounds of readings in the starter's data, and the rooms that report in each round: 2,000 rows. */
const ROUNDS = 400;
const ROOMS = ["cellar", "kitchen", "attic", "garage", "office"] as const;
const START = Date.UTC(2026, 0, 5);
const MINUTE_MS = 60_000;

/** The starter's `ipdm.yaml`. */
export const STARTER_CONFIG = `# yaml-language-server: $schema=.ipdm.schema.json
#
# Temperatures of five rooms become one row for each room and hour.
#
#   npx ipdm-runtime run ipdm.yaml

name: room-climate

# Three nodes (all in this process, for now) compute every statement; two of them must sign the same bytes.
domain: { id: home, replicas: 3, quorum: 2, verify: full }

# \`time\` names the column with the event time. Rows may be up to five minutes out of order.
sources:
  readings:
    file: ./readings.csv
    columns: { time: timestamp, room: utf8, millicelsius: i32 }
    time: { column: time, outOfOrder: 5m }

# One window an hour, one row for each room in it. One window, drawn after the result is fixed, gets a zero-knowledge proof.
tasks:
  hourly:
    input: readings
    window: { tumble: 1h, lateness: 0s }
    key: [room]
    aggregate: { readings: count(), total: sum(millicelsius), coldest: min(millicelsius), warmest: max(millicelsius) }
    prove: { windows: 1 }

# The same table twice: one to read, one to load. Paths are relative to the output folder, out/room-climate by default.
outputs:
  text: { input: hourly, file: hourly.csv }
  table: { input: hourly, file: hourly.parquet }
`;

/** The starter's README. */
export const STARTER_README = `# A first pipeline

\`readings.csv\` holds 2,000 temperatures of five rooms. \`ipdm.yaml\` says what becomes of them: one row for each room and hour.

    npx ipdm-runtime run ipdm.yaml                          # writes out/room-climate/
    npx ipdm-runtime verify out/room-climate/receipt.car    # checks hashes, signatures and proofs, without the data
    npx ipdm-runtime replay out/room-climate/receipt.car    # computes everything again and compares it

Then change a number in \`readings.csv\` and let the replay read the file itself: it names the first row that differs.

    npx ipdm-runtime replay out/room-climate/receipt.car --input readings=readings.csv

| file | is |
|---|---|
| \`ipdm.yaml\` | the pipeline; every key has a line that explains it |
| \`readings.csv\` | the data |
| \`.ipdm.schema.json\` | lets editors complete and check \`ipdm.yaml\` |

To use data of your own, put a CSV, NDJSON or Parquet file here, and change \`file\`, \`columns\` and \`time\` in \`ipdm.yaml\`.
`;

/**
 * The starter's data as CSV, always the same: each room reports every three minutes for 20 hours; warm days, small jitter, and
 * some rows up to four minutes late.
 */
export function starterReadings(): string {
  let state = 20_260_105;
  const next = (below: number): number => {
    // The minimal standard generator (Park and Miller 1988): exact in doubles, and the same everywhere.
    state = (state * 48_271) % 2_147_483_647;
    return state % below;
  };
  const lines = ["time,room,millicelsius"];
  for (let round = 0; round < ROUNDS; round++) {
    for (const [place, room] of ROOMS.entries()) {
      const late = next(10) === 0 ? next(5) : 0;
      const at = new Date(START + Math.max(0, round * 3 - late) * MINUTE_MS).toISOString().replace(".000Z", "Z");
      // A day as two straight lines, coldest at its ends: integers only.
      const warmth = 4000 - Math.abs(((round * 3) % 1440) - 720) * 5;
      lines.push(`${at},${room},${16_000 + place * 900 + warmth + next(400) - 200}`);
    }
  }
  return `${lines.join("\n")}\n`;
}

/** The `ipdm.yaml` of an empty project: one file becomes one table, and a receipt says so. */
export const BLANK_CONFIG = `# yaml-language-server: $schema=.ipdm.schema.json
#
#   npx ipdm-runtime run ipdm.yaml
#
# All keys: node_modules/ipdm-runtime/docs/reference/config.md

name: blank

# Who computes: so many nodes, of which so many must sign the same bytes.
domain: { replicas: 1 }

# What goes in: Parquet, CSV or NDJSON. Windows need \`time: { column: … }\` here.
sources:
  data: { file: ./data.csv }

# Programs in WebAssembly and windows of event time go here, under \`modules:\` and \`tasks:\`.

# What comes out, relative to the output folder, out/blank by default.
outputs:
  table: { input: data, file: table.parquet }
`;

/** The data of an empty project. */
export const BLANK_DATA = "time,name,value\n2026-01-05T00:00:00Z,first,1\n2026-01-05T00:01:00Z,second,2\n";
