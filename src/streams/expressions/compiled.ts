import type { Batch } from "../../batch/batch.ts";
import type { Value } from "../../batch/column.ts";
import type { ColumnType, Field } from "../../batch/schema.ts";
import type { IpdmError } from "../../core/errors.ts";
import type { Kind, Vector } from "./vector.ts";

/** An expression tied to a schema: loops that compute up to 4096 rows at a time. */
export interface Compiled {
  readonly kind: Kind;
  /** The column type that holds every value of it. */
  readonly type: ColumnType;
  readonly nullable: boolean;
  /** Values of `count` rows from row `from`; the vector is overwritten by the next call. */
  run(batch: Batch, from: number, count: number): Vector;
  /**
   * Of a condition that is a comparison of floats: writes the rows for which it is true into `into` from `found` on, and returns how
   * many are found then; -1 where the rows have to be computed otherwise.
   */
  select?(batch: Batch, from: number, count: number, into: Int32Array, found: number): number;
  /** The field, where it is a column as it stands. */
  readonly field?: Field;
  /** The value, where it is the same for every row. */
  readonly constant?: Value;
}

/** How an operation complains about its arguments. */
export type Complain = (why: string) => IpdmError;
