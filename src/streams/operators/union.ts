import type { Observable } from "rxjs";
import { BATCH_ROWS_DEFAULT } from "../../batch/limits.ts";
import { sameSchema } from "../../batch/schema.ts";
import { BatchWriter } from "../../batch/writer.ts";
import { IpdmError } from "../../core/errors.ts";
import type { Flow, Header } from "../flow.ts";
import { merging } from "../join/merging.ts";
import { timeOf } from "./event-time.ts";
import { invalid } from "./given.ts";
import { areMarked, markedInputs } from "./marked.ts";

/**
 * One stream of several with the same columns, in an order that their rows alone decide: always the row with the least event time of those
 * that come next, of equal ones that of the input named first. Inputs that are ahead wait, holding their credits; nothing is late that
 * was not late in its own input, since the out-of-orderness of the whole is the greatest of all; of punctuated inputs the watermark is the
 * least of theirs. Each input says its event time before, in the
 * column of one name. Throws `SCHEMA_MISMATCH` and `WINDOW_UNDESCRIBED` as the stream's error.
 */
export function union<C, K extends string>(
  inputs: Readonly<Record<string, Observable<Flow<C, K>>>>,
): Observable<Flow<C, K>> {
  const names = Object.keys(inputs);
  if (names.length === 0) throw invalid("union", "there are no inputs", "name them: { north, south }");
  const merged = merging(
    markedInputs(inputs),
    { name: "union", detail: names.join(", ") },
    (headers, { schemas, out, isFree }) => {
      let writer: BatchWriter | undefined;
      const flush = (): void => {
        if (writer !== undefined && writer.rows > 0) out(writer.take());
      };
      return {
        header: headerOf(headers),
        get isBlocked() {
          return !isFree();
        },
        resume: () => undefined,
        rows(input, batch, from, to) {
          const first = names.findIndex((_, i) => schemas(i) !== undefined);
          const schema = schemas(first);
          if (schema !== undefined && !sameSchema(schema, batch.schema)) {
            throw new IpdmError("SCHEMA_MISMATCH", `${names[input]} has other columns than ${names[first]}`, {
              hint: "project both to the same columns, in the same order and of the same types",
            });
          }
          writer ??= new BatchWriter(batch.schema);
          if (from === 0 && to === batch.rows && writer.rows === 0) {
            out(batch);
            return to;
          }
          // Runs of rows are short where inputs take turns.
          writer.append(batch, from, to);
          if (writer.rows >= BATCH_ROWS_DEFAULT) flush();
          return to;
        },
        pause: flush,
        watermark(timeUs) {
          flush();
          out({ kind: "watermark", timeUs });
        },
        end: () => undefined,
      };
    },
  );
  return merged as unknown as Observable<Flow<C, K>>; // the columns are those of each input
}

/** Event time of the whole: in the one column, as far out of order as any input. */
function headerOf(headers: readonly Header[]): Omit<Header, "kind"> {
  const times = headers.map((header) => timeOf(header, "union"));
  const [first] = times;
  if (first === undefined) return {};
  const other = times.find(({ column }) => column !== first.column);
  if (other !== undefined) {
    throw new IpdmError("SCHEMA_MISMATCH", `event times are in ${first.column} and in ${other.column}`, {
      hint: "give the column one name: rename({ … })",
    });
  }
  areMarked(times, "union");
  const outOfOrderUs = times.reduce((most, time) => Math.max(most, time.outOfOrderUs), 0);
  const { keys, schema } = headers[0] ?? {};
  return {
    time: { ...first, outOfOrderUs },
    ...(keys === undefined ? {} : { keys }),
    ...(schema === undefined ? {} : { schema }),
  };
}
