import type { HostFunction } from "./table.ts";

/** Name of the table of Redpanda's functions with their prices. */
export const REDPANDA_TABLE = "ipdm-redpanda/2";

/**
 * The functions of Redpanda's data transforms, ABI versions 1 and 2, by module and name as the SDKs import them (redpanda
 * `src/transform-sdk`), with their prices (that of `read_batch_header` is
 * paid for each record, whose size it finds); docs/reference/redpanda.md says what each does.
 */
export const REDPANDA_FUNCTIONS: Readonly<Record<string, HostFunction>> = {
  "redpanda_transform.check_abi_version_1": { signature: "()->()", fuel: 80, fuelPerByte: 0 },
  "redpanda_transform.check_abi_version_2": { signature: "()->()", fuel: 80, fuelPerByte: 0 },
  "redpanda_transform.read_batch_header": {
    signature: "(i32,i32,i32,i32,i32,i32,i32,i32,i32,i32)->i32",
    fuel: 100,
    fuelPerByte: 4,
  },
  "redpanda_transform.read_next_record": { signature: "(i32,i32,i32,i32,i32)->i32", fuel: 500, fuelPerByte: 4 },
  "redpanda_transform.write_record": { signature: "(i32,i32)->i32", fuel: 500, fuelPerByte: 8 },
  "redpanda_transform.write_record_with_options": { signature: "(i32,i32,i32,i32)->i32", fuel: 500, fuelPerByte: 8 },
};
