import type * as NodeSqlite from "node:sqlite";

/** `node:sqlite`, or `undefined` where this Node.js does not have it (before 22.13). */
export function sqliteModule(): typeof NodeSqlite | undefined {
  // Some versions of Node.js warn that this module is young; that is no news for the reader of a run.
  const emitWarning = process.emitWarning.bind(process);
  process.emitWarning = () => {};
  try {
    return process.getBuiltinModule("node:sqlite") as typeof NodeSqlite | undefined;
  } finally {
    process.emitWarning = emitWarning;
  }
}
