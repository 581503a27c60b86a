import type { HostFunction } from "./table.ts";

/** Fuel of a cell of a table that the host reads from a text: a short text can be a wide row of nulls. */
export const CELL_FUEL = 8;

/** The same as a price; its bytes are cells. */
export const CELL: HostFunction = { signature: "()->()", fuel: 0, fuelPerByte: CELL_FUEL };
