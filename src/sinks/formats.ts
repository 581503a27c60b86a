/** Forms that a table is written in. */
export type SinkFormat = "parquet" | "csv" | "ndjson" | "sqlite" | "arrow";

const FORMATS: Readonly<Record<string, SinkFormat>> = {
  parquet: "parquet",
  csv: "csv",
  ndjson: "ndjson",
  jsonl: "ndjson",
  sqlite: "sqlite",
  db: "sqlite",
  arrow: "arrow",
  feather: "arrow",
};

/** The endings of files that tables are written to, as people read them: `.parquet, .csv, …`. */
export const SINK_ENDINGS: string = Object.keys(FORMATS)
  .map((ending) => `.${ending}`)
  .join(", ");

/** The form of a table that is written, by the ending of its file's name; compressed files are not written. */
export function sinkFormatOf(file: string): SinkFormat | undefined {
  const ending = /\.([a-z0-9]+)$/i.exec(file)?.[1]?.toLowerCase() ?? "";
  return Object.hasOwn(FORMATS, ending) ? FORMATS[ending] : undefined;
}
