/** Columns of each table that can have another type than the usual, which is the first. */
const COLUMNS: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  blocks: {
    timestamp: ["u64", "timestamp"],
    baseFeePerGas: ["utf8", "u64", "i64"],
    difficulty: ["utf8", "u64", "i64"],
  },
  transactions: {
    timestamp: ["u64", "timestamp"],
    value: ["utf8", "u64", "i64"],
    gasPrice: ["utf8", "u64", "i64"],
  },
  logs: { timestamp: ["u64", "timestamp"] },
  withdrawals: { timestamp: ["u64", "timestamp"] },
};

/** What is wrong with the types that a task asks of a table's columns, or `undefined`. */
export function checkTableColumns(table: string, columns: Readonly<Record<string, string>>): string | undefined {
  const known = COLUMNS[table] ?? {};
  for (const [name, type] of Object.entries(columns)) {
    const types = Object.hasOwn(known, name) ? known[name] : undefined;
    if (types === undefined) return `${name} has its type; others can be had of ${Object.keys(known).join(", ")}`;
    if (!types.includes(type)) return `${name} can be ${types.join(" or ")}, not ${type}`;
  }
  return undefined;
}

/** The settings of the module `ipdm:ethereum` for other types of columns. */
export function tableSettings(columns: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(columns).map(([name, type]) => [`column.${name}`, type]));
}
