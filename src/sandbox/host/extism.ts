import type { HostFunction } from "./table.ts";

/** Name of the table of Extism's functions with their prices. */
export const EXTISM_TABLE = "ipdm-extism/2";

/** A call that moves a byte or a word, or looks something up. */
const STEP: HostFunction = { signature: "()->i64", fuel: 60, fuelPerByte: 0 };
/** A line that may end in the log: the price is the same where it is below the level. */
const LINE: HostFunction = { signature: "(i64)->()", capability: "log", fuel: 1000, fuelPerByte: 1 };

/**
 * The functions of the Extism kernel and runtime, by module and name as plugins import them (extism 1.x, `kernel/src/lib.rs` and
 * `runtime/src/pdk.rs`), with their prices; docs/reference/extism.md says what each does.
 */
export const EXTISM_FUNCTIONS: Readonly<Record<string, HostFunction>> = {
  "extism:host/env.alloc": { signature: "(i64)->i64", fuel: 600, fuelPerByte: 0.25 },
  "extism:host/env.free": { ...STEP, signature: "(i64)->()", fuel: 150 },
  "extism:host/env.length": { ...STEP, signature: "(i64)->i64" },
  "extism:host/env.length_unsafe": { ...STEP, signature: "(i64)->i64" },
  "extism:host/env.load_u8": { ...STEP, signature: "(i64)->i32" },
  "extism:host/env.load_u64": { ...STEP, signature: "(i64)->i64" },
  "extism:host/env.store_u8": { ...STEP, signature: "(i64,i32)->()" },
  "extism:host/env.store_u64": { ...STEP, signature: "(i64,i64)->()" },
  "extism:host/env.input_offset": STEP,
  "extism:host/env.input_length": STEP,
  "extism:host/env.input_load_u8": { ...STEP, signature: "(i64)->i32" },
  "extism:host/env.input_load_u64": { ...STEP, signature: "(i64)->i64" },
  "extism:host/env.output_set": { ...STEP, signature: "(i64,i64)->()" },
  "extism:host/env.error_set": { ...STEP, signature: "(i64)->()" },
  "extism:host/env.config_get": { signature: "(i64)->i64", fuel: 1000, fuelPerByte: 2 },
  "extism:host/env.var_get": { signature: "(i64)->i64", fuel: 1000, fuelPerByte: 2 },
  "extism:host/env.var_set": { signature: "(i64,i64)->()", fuel: 1000, fuelPerByte: 2 },
  "extism:host/env.http_request": { ...STEP, signature: "(i64,i64)->i64" },
  "extism:host/env.http_status_code": { ...STEP, signature: "()->i32" },
  "extism:host/env.http_headers": STEP,
  "extism:host/env.get_log_level": { ...STEP, signature: "()->i32" },
  "extism:host/env.log_trace": LINE,
  "extism:host/env.log_debug": LINE,
  "extism:host/env.log_info": LINE,
  "extism:host/env.log_warn": LINE,
  "extism:host/env.log_error": LINE,
};

/** What the host itself does for each row: it writes the row as a text, and reads the text that comes back. */
export const EXTISM_INPUT: HostFunction = { signature: "()->i32", fuel: 500, fuelPerByte: 4 };
export const EXTISM_OUTPUT: HostFunction = { signature: "()->i32", fuel: 500, fuelPerByte: 8 };
