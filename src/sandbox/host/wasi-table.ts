import type { HostFunction } from "./table.ts";

/** Name of the table of WASI functions with their prices, as {@link HOST_TABLE} is for those of `ipdm/1`. */
export const WASI_TABLE = "ipdm-wasi/2";

/** The module that all WASI functions are imported from. */
export const WASI_MODULE = "wasi_snapshot_preview1";

/** Fuel of a call that does nothing but answer with a number. */
const ANSWER = 50;

/** Names and signatures: WASI's own `wasi_snapshot_preview1.witx`, all of it, lowered as its ABI says. */
const SIGNATURES = {
  args_get: "(i32,i32)->i32",
  args_sizes_get: "(i32,i32)->i32",
  environ_get: "(i32,i32)->i32",
  environ_sizes_get: "(i32,i32)->i32",
  clock_res_get: "(i32,i32)->i32",
  clock_time_get: "(i32,i64,i32)->i32",
  fd_advise: "(i32,i64,i64,i32)->i32",
  fd_allocate: "(i32,i64,i64)->i32",
  fd_close: "(i32)->i32",
  fd_datasync: "(i32)->i32",
  fd_fdstat_get: "(i32,i32)->i32",
  fd_fdstat_set_flags: "(i32,i32)->i32",
  fd_fdstat_set_rights: "(i32,i64,i64)->i32",
  fd_filestat_get: "(i32,i32)->i32",
  fd_filestat_set_size: "(i32,i64)->i32",
  fd_filestat_set_times: "(i32,i64,i64,i32)->i32",
  fd_pread: "(i32,i32,i32,i64,i32)->i32",
  fd_prestat_get: "(i32,i32)->i32",
  fd_prestat_dir_name: "(i32,i32,i32)->i32",
  fd_pwrite: "(i32,i32,i32,i64,i32)->i32",
  fd_read: "(i32,i32,i32,i32)->i32",
  fd_readdir: "(i32,i32,i32,i64,i32)->i32",
  fd_renumber: "(i32,i32)->i32",
  fd_seek: "(i32,i64,i32,i32)->i32",
  fd_sync: "(i32)->i32",
  fd_tell: "(i32,i32)->i32",
  fd_write: "(i32,i32,i32,i32)->i32",
  path_create_directory: "(i32,i32,i32)->i32",
  path_filestat_get: "(i32,i32,i32,i32,i32)->i32",
  path_filestat_set_times: "(i32,i32,i32,i32,i64,i64,i32)->i32",
  path_link: "(i32,i32,i32,i32,i32,i32,i32)->i32",
  path_open: "(i32,i32,i32,i32,i32,i64,i64,i32,i32)->i32",
  path_readlink: "(i32,i32,i32,i32,i32,i32)->i32",
  path_remove_directory: "(i32,i32,i32)->i32",
  path_rename: "(i32,i32,i32,i32,i32,i32)->i32",
  path_symlink: "(i32,i32,i32,i32,i32)->i32",
  path_unlink_file: "(i32,i32,i32)->i32",
  poll_oneoff: "(i32,i32,i32,i32)->i32",
  proc_exit: "(i32)->()",
  proc_raise: "(i32)->i32",
  random_get: "(i32,i32)->i32",
  sched_yield: "()->i32",
  sock_accept: "(i32,i32,i32)->i32",
  sock_recv: "(i32,i32,i32,i32,i32,i32)->i32",
  sock_send: "(i32,i32,i32,i32,i32)->i32",
  sock_shutdown: "(i32,i32)->i32",
} as const;

/** Name of a function of WASI preview1. */
export type WasiName = keyof typeof SIGNATURES;

/** All names of {@link WasiName}. */
export const WASI_NAMES = Object.keys(SIGNATURES) as readonly WasiName[];

/**
 * What is not a plain answer. Bytes of `fd_read` are those that the host writes as text from the batch, bytes of `fd_write` those that
 * it reads back (or keeps of an error's words), bytes of `poll_oneoff` those of its subscriptions.
 */
const PRICES: Partial<Record<WasiName, Pick<HostFunction, "fuel" | "fuelPerByte">>> = {
  fd_read: { fuel: 100, fuelPerByte: 4 },
  fd_write: { fuel: 100, fuelPerByte: 8 },
  poll_oneoff: { fuel: 100, fuelPerByte: 1 },
  random_get: { fuel: 200, fuelPerByte: 16 },
};

/** The functions of WASI preview1 with their prices, by module and name as they are imported. */
export const WASI_FUNCTIONS: Readonly<Record<string, HostFunction>> = Object.fromEntries(
  WASI_NAMES.map((name) => [
    `${WASI_MODULE}.${name}`,
    { signature: SIGNATURES[name], fuel: ANSWER, fuelPerByte: 0, ...PRICES[name] },
  ]),
);
