import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import type { Batch } from "../batch/batch.ts";
import type { Schema } from "../batch/schema.ts";
import {
  type CellReader,
  cellReader,
  checkColumns,
  createTableSql,
  guarded,
  insertSql,
  quoted,
  sqlite,
  tableName,
} from "./sqlite.ts";

/** Table beside the rows: of what work they are, and how many of them are final. */
const PROGRESS = "ipdm_progress";

/** How long a lock of another program is waited for, in milliseconds. */
const BUSY_MS = 5000;

/**
 * A table of a SQLite database that others read while it grows. Its first rows are final; those behind them are provisional, and are
 * deleted again when what they came from is gone. Rows keep the order of `rowid`, from 1 without a gap; the view `<table>_final` has
 * the final ones alone. Every change is one transaction, so readers see all of it or nothing.
 */
export class LiveTable {
  readonly file: string;
  private readonly table: string;
  private readonly database: DatabaseSync;
  private readonly insert: StatementSync;
  private rowCount: number;
  private finalCount: number;

  private constructor(file: string, database: DatabaseSync, schema: Schema, work: string) {
    this.file = file;
    this.database = database;
    this.table = tableName(file);
    // Readers and this writer do not wait for each other then, and rows that a power cut takes are made again.
    database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
    const kept = this.keptProgress();
    if (kept?.work !== work) this.create(schema, work);
    this.finalCount = kept?.work === work ? kept.final : 0;
    this.insert = database.prepare(insertSql(this.table, schema));
    this.database.exec(`DELETE FROM ${quoted(this.table)} WHERE rowid > ${this.finalCount}`);
    this.rowCount = this.finalCount;
  }

  /**
   * Opens the table; rows of other work (`work` names it) and provisional ones are dropped. Throws `SINK_UNSUPPORTED` where Node.js has
   * no SQLite, `SINK_COLUMN_CLASH`, `SINK_UNWRITABLE`, `SINK_FAILED`.
   */
  static async open(file: string, schema: Schema, work: string): Promise<LiveTable> {
    checkColumns(file, schema);
    await mkdir(dirname(file), { recursive: true });
    const { DatabaseSync: Database } = sqlite(file);
    return guarded(file, () => new LiveTable(file, new Database(file, { timeout: BUSY_MS }), schema, work));
  }

  /** All rows, and how many of the first ones are final. */
  get rows(): number {
    return this.rowCount;
  }

  get final(): number {
    return this.finalCount;
  }

  /** Adds provisional rows at the end. */
  add(batches: Iterable<Batch>): void {
    this.transaction(() => this.append(batches));
  }

  /** Deletes all rows behind the first `rows`; they have to be provisional. */
  retract(rows: number): void {
    if (rows >= this.rowCount) return;
    this.transaction(() => this.truncate(Math.max(rows, this.finalCount)));
  }

  /** The first `rows` rows are final; `batches` are those of them that are not there yet, if any are. */
  settle(rows: number, batches: Iterable<Batch> = []): void {
    if (rows <= this.finalCount) return;
    this.transaction(() => {
      this.append(batches);
      this.finalCount = rows;
      this.database.exec(`UPDATE ${PROGRESS} SET final = ${rows}`);
    });
  }

  /** Ends it: final rows alone stay. */
  close(): void {
    if (!this.database.isOpen) return;
    guarded(this.file, () => {
      this.transaction(() => this.truncate(this.finalCount));
      try {
        this.database.exec("PRAGMA journal_mode = DELETE");
      } catch {
        // Someone reads it: it stays in this mode, with files beside it.
      }
      this.database.close();
    });
  }

  private truncate(rows: number): void {
    this.database.exec(`DELETE FROM ${quoted(this.table)} WHERE rowid > ${rows}`);
    this.rowCount = rows;
  }

  private append(batches: Iterable<Batch>): void {
    for (const batch of batches) {
      const cells = batch.columns.map(cellReader);
      const row: SQLInputValue[] = new Array(cells.length);
      for (let at = 0; at < batch.rows; at++) {
        for (let i = 0; i < cells.length; i++) row[i] = (cells[i] as CellReader)(at);
        this.insert.run(...row);
      }
      this.rowCount += batch.rows;
    }
  }

  private transaction(work: () => void): void {
    const { rowCount, finalCount } = this;
    guarded(this.file, () => {
      this.database.exec("BEGIN IMMEDIATE");
      try {
        work();
        this.database.exec("COMMIT");
      } catch (error) {
        this.database.exec("ROLLBACK");
        Object.assign(this, { rowCount, finalCount });
        throw error;
      }
    });
  }

  private keptProgress(): { readonly work: string; readonly final: number } | undefined {
    const names = this.database
      .prepare("SELECT name FROM sqlite_schema WHERE name IN (?, ?)")
      .all(PROGRESS, this.table);
    if (names.length < 2) return undefined;
    const kept = this.database.prepare(`SELECT work, final FROM ${PROGRESS}`).get();
    return kept === undefined ? undefined : { work: String(kept["work"]), final: Number(kept["final"]) };
  }

  private create(schema: Schema, work: string): void {
    const [rows, final] = [quoted(this.table), quoted(`${this.table}_final`)];
    this.database.exec(
      [
        "BEGIN IMMEDIATE",
        `DROP VIEW IF EXISTS ${final}`,
        `DROP TABLE IF EXISTS ${rows}`,
        `DROP TABLE IF EXISTS ${PROGRESS}`,
        createTableSql(this.table, schema),
        `CREATE TABLE ${PROGRESS} (work TEXT NOT NULL, final INTEGER NOT NULL) STRICT`,
        `CREATE VIEW ${final} AS SELECT * FROM ${rows} WHERE rowid <= (SELECT final FROM ${PROGRESS}) ORDER BY rowid`,
      ].join(";\n"),
    );
    this.database.prepare(`INSERT INTO ${PROGRESS} VALUES (?, 0)`).run(work);
    this.database.exec("COMMIT");
  }
}
