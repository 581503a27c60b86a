import { access } from "node:fs/promises";
import { basename } from "node:path";
import type * as NodeSqlite from "node:sqlite";
import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import type { Batch } from "../batch/batch.ts";
import { bytesAt, type Column, isNull, valueAt } from "../batch/column.ts";
import type { Field, Schema } from "../batch/schema.ts";
import { IpdmError } from "../core/errors.ts";
import { type AtomicFile, writingError } from "./atomic-file.ts";
import { sqliteModule } from "./sqlite-module.ts";
import type { TableWriter } from "./table-writer.ts";

/** The largest integer that SQLite stores as one. */
const INTEGER_MAX = 2n ** 63n - 1n;
/** Primary result codes (sqlite.org/rescode.html) that a full disk and a file that cannot be written come with. */
const SQLITE_FULL = 13;
const SQLITE_CODES: Readonly<Record<number, string>> = { 8: "EROFS", 10: "EIO", [SQLITE_FULL]: "ENOSPC", 14: "EACCES" };
/** What SQLite leaves beside a database that is in use, or whose program was stopped in the middle. */
const BESIDE = ["-journal", "-wal"];

/**
 * A SQLite database with one strict table, named as the file without its ending, its rows in order of `rowid`. Nothing is lost:
 * integers to 64 bits and timestamps (µs since 1970, UTC) are INTEGER, a `u64` of 2^63 and more is its decimal text; floats are REAL,
 * NaN is the text `NaN`; `binary` and `fixed` are BLOB, so a 256-bit integer in `fixed(32)` keeps all of its bytes. The table's
 * declaration names each column's own type in a comment.
 */
export class SqliteTable implements TableWriter {
  private readonly file: AtomicFile;
  private readonly database: DatabaseSync;
  private readonly insert: StatementSync;

  private constructor(file: AtomicFile, database: DatabaseSync, schema: Schema) {
    this.file = file;
    this.database = database;
    const table = tableName(file.path);
    // The file is synced as a whole and then renamed: until then it needs no journal on the disk. (Of an empty database the one in
    // memory holds next to nothing; OFF is refused in the defensive mode that Node.js opens databases in.)
    database.exec("PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF; PRAGMA locking_mode = EXCLUSIVE");
    database.exec("BEGIN");
    database.exec(createTableSql(table, schema));
    this.insert = database.prepare(insertSql(table, schema));
  }

  /** Throws `SINK_UNSUPPORTED` where Node.js has no SQLite, `SINK_COLUMN_CLASH`, `SINK_UNWRITABLE` where a database of that name is in use. */
  static async open(file: AtomicFile, schema: Schema): Promise<SqliteTable> {
    checkColumns(file.path, schema);
    await checkUnused(file.path);
    const { DatabaseSync: Database } = sqlite(file.path);
    return guarded(file.path, () => new SqliteTable(file, new Database(file.temporary), schema));
  }

  async write(batch: Batch): Promise<void> {
    guarded(this.file.path, () => {
      const cells = batch.columns.map(cellReader);
      const row: SQLInputValue[] = new Array(cells.length);
      for (let at = 0; at < batch.rows; at++) {
        for (let i = 0; i < cells.length; i++) row[i] = (cells[i] as CellReader)(at);
        this.insert.run(...row);
      }
    });
  }

  async finish(): Promise<void> {
    guarded(this.file.path, () => {
      this.database.exec("COMMIT");
      this.database.close();
    });
    await checkUnused(this.file.path);
  }

  release(): void {
    if (this.database.isOpen) this.database.close();
  }
}

/** The name of a file's table: the file's own, without folder and ending. */
export function tableName(path: string): string {
  return basename(path).replace(/\.[^.]*$/, "");
}

/** The declaration of a strict table with the columns of a schema. */
export function createTableSql(table: string, schema: Schema): string {
  const columns = schema.fields.map((field) => {
    const width = field.type === "fixed" ? `(${field.width ?? 0})` : "";
    return `  ${quoted(field.name)} ${storageOf(field)}${field.nullable ? "" : " NOT NULL"} /* ${field.type}${width} */`;
  });
  // A comment that ends a line would take the comma with it; this form does not.
  return `CREATE TABLE ${quoted(table)} (\n${columns.join(",\n")}\n) STRICT`;
}

/** The statement that adds a row: one parameter a column. */
export function insertSql(table: string, schema: Schema): string {
  return `INSERT INTO ${quoted(table)} VALUES (${schema.fields.map(() => "?").join(", ")})`;
}

/** Reads a row's value of one column as SQLite stores it. */
export type CellReader = (row: number) => SQLInputValue;

/** How the values of a column are stored; see {@link SqliteTable}. */
export function cellReader(column: Column): CellReader {
  const read = valueReader(column);
  return column.nulls === 0 ? read : (row) => (isNull(column, row) ? null : read(row));
}

function valueReader(column: Column): CellReader {
  const { values } = column;
  switch (column.field.type) {
    case "bool":
      return (row) => (valueAt(column, row) === true ? 1 : 0);
    case "u64":
      return (row) => {
        const value = values[row] as bigint;
        return value > INTEGER_MAX ? String(value) : value;
      };
    case "f32":
    case "f64":
      // SQLite has no NaN: it would store NULL.
      return (row) => (Number.isNaN(values[row]) ? "NaN" : (values[row] as number));
    case "utf8":
    case "dict":
      return (row) => valueAt(column, row) as string;
    case "binary":
    case "fixed":
      return (row) => bytesAt(column, row);
    default:
      return (row) => values[row] as number | bigint;
  }
}

/** ANY keeps a value as it is given: REAL would drop the sign of zero, INTEGER would round what has more than 63 bits. */
function storageOf({ type }: Field): "INTEGER" | "ANY" | "TEXT" | "BLOB" {
  switch (type) {
    case "u64":
    case "f32":
    case "f64":
      return "ANY";
    case "utf8":
    case "dict":
      return "TEXT";
    case "binary":
    case "fixed":
      return "BLOB";
    default:
      return "INTEGER";
  }
}

export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** SQLite takes names that differ in the case of ASCII letters only for one. */
export function checkColumns(path: string, { fields }: Schema): void {
  const seen = new Map<string, string>();
  for (const { name } of fields) {
    const folded = name.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase());
    const other = seen.get(folded);
    if (other !== undefined || name.includes("\0")) {
      const why = other === undefined ? "a zero byte ends a name" : `it takes ${other} and ${name} for one`;
      throw new IpdmError("SINK_COLUMN_CLASH", `SQLite cannot have the columns of ${path}: ${why}`, {
        kind: "config",
        where: path,
        hint: "rename one of the columns, or write another form",
      });
    }
    seen.set(folded, name);
  }
}

/** A journal beside the file would be applied to the new database by the next program that opens it. */
async function checkUnused(path: string): Promise<void> {
  for (const ending of BESIDE) {
    const beside = `${path}${ending}`;
    const isThere = await access(beside).then(
      () => true,
      () => false,
    );
    if (!isThere) continue;
    throw new IpdmError("SINK_UNWRITABLE", `${path} cannot be replaced: ${beside} says that a program uses it`, {
      kind: "config",
      where: path,
      hint: "close that program; where it was stopped in the middle, open the database once with it, or write to another file",
    });
  }
}

export function sqlite(path: string): typeof NodeSqlite {
  const found = sqliteModule();
  if (found !== undefined) return found;
  throw new IpdmError("SINK_UNSUPPORTED", `${path} cannot be written: this Node.js has no SQLite`, {
    kind: "config",
    where: path,
    hint: "use Node.js 22.13 or newer, or write another form",
  });
}

/** Does work of SQLite, and tells of its errors as of those of other files. */
export function guarded<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    const { errcode, message } = cause as { readonly errcode?: number; readonly message: string };
    if (typeof errcode !== "number") throw cause;
    const code = SQLITE_CODES[errcode & 0xff] ?? `SQLite ${errcode}: ${message}`;
    throw writingError(path, Object.assign(new Error(message, { cause }), { code }));
  }
}
