import { POLICY_RANGES } from "../sandbox/policy.ts";

/** Bytes of a configuration file. */
export const CONFIG_BYTES_MAX = 1024 * 1024;
/** Values, mappings and lists of a configuration file, aliases counted as often as they are used. */
export const NODES_MAX = 50_000;
/** Levels of nesting in a configuration file. */
export const DEPTH_MAX = 32;
/** Problems that are collected before checking stops. */
export const PROBLEMS_MAX = 100;
/** Sources, modules and outputs of a configuration (each). */
export const NAMED_MAX = 256;
/** Files, folders or endpoints of one chain source. */
export const PLACES_MAX = 64;
/** Blocks that must follow a block before it is final, when nobody says otherwise, and the most that can be asked for. */
export const FINALITY_DEFAULT = 64;
export const FINALITY_MAX = 4096;
/** Tasks of a configuration. */
export const TASKS_MAX = 1024;
/** Columns of a window's key. */
export const KEY_COLUMNS_MAX = 16;
/** Aggregates of a window. */
export const AGGREGATES_MAX = 64;
/** Windows of a task that are proved in zero knowledge, drawn or named. */
export const PROVED_WINDOWS_MAX = 256;
/** Nodes that compute the same statement. A vote set is small enough to travel in one gossip message. */
export const REPLICAS_MAX = 31;
/** Share of the statements that a voter re-executes with `verify: sample` when `share` is not given. */
export const SHARE_DEFAULT = 0.25;
/** Fuel that a configuration may give a call, and for each of its rows. */
export const FUEL_CALL_MAX = POLICY_RANGES.fuelPerCall[1];
export const FUEL_ROW_MAX = POLICY_RANGES.fuelPerRow[1];
/** Output of one call of a module: more would not fit the blocks that carry it. */
export const MODULE_OUTPUT_BYTES_MAX = POLICY_RANGES.outputBytesMax[1];
/** Linear memory that a module may be given: one WASM page to all of 32-bit memory. */
export const [MODULE_MEMORY_BYTES_MIN, MODULE_MEMORY_BYTES_MAX] = POLICY_RANGES.memoryBytesMax;
/** Wall-clock time of one call of a module when nobody says otherwise, and the most it may be set to (in microseconds). */
export const MODULE_TIMEOUT_DEFAULT = "10s";
export const MODULE_TIMEOUT_US_MAX = 60 * 60 * 1_000_000;
/** Hot tier of a lake when nobody says otherwise. */
export const LAKE_HOT_DEFAULT = "256MiB";
/** Settings of a module, and characters of a key and of a value. */
export const SETTINGS_MAX = 64;
export const SETTING_NAME_MAX = 200;
export const SETTING_VALUE_MAX = 4096;

/** Served catalogues that a configuration may name, and characters of each address. */
export const CATALOGUE_PEERS_MAX = 16;
export const ADDRESS_CHARS_MAX = 512;

/** Rows of a `count` window, of a trigger and of a group of `top`. */
export const WINDOW_ROWS_MAX = 1_000_000;
/** Inputs that one task may read. */
export const TASK_INPUTS_MAX = 16;
