import { STACK_VALUES_DEFAULT } from "./limits.ts";
import { STACK_MAX } from "./metering/meter.ts";

/** What a module may ask the host for, beyond its input. Nothing, unless a policy allows it. */
export const CAPABILITIES = ["log", "random", "time"] as const;

/** One of {@link CAPABILITIES}: to write lines to the node's log, to read the seeded random stream, to read the batch's event time. */
export type Capability = (typeof CAPABILITIES)[number];

/** What of WebAssembly a module may use beyond what every module may. Off unless it is asked for. */
export const FEATURES = ["tail-calls"] as const;

/** One of {@link FEATURES}: `return_call` and `return_call_indirect`. */
export type Feature = (typeof FEATURES)[number];

/** How far a module is trusted: what it may use up, and what it may ask for. All of it is part of what a result is made of. */
export interface SandboxPolicy {
  /** Fuel of a call, and what it has more for each row of its input. */
  readonly fuelPerCall: number;
  readonly fuelPerRow: number;
  /** Linear memory, rounded down to pages of 64 KiB. Growth beyond it fails inside the module, the same on every node. */
  readonly memoryBytesMax: number;
  /** Values (of 8 bytes) that calls inside each other may keep on the stack. */
  readonly stackValuesMax: number;
  /** Most bytes of one output block; a call's limit is the lower of this and 16 times its input plus 1 MiB. */
  readonly outputBytesMax: number;
  readonly capabilities: readonly Capability[];
}

/** Levels of trust that a configuration can name. */
export const TRUST_LEVELS = ["trusted", "standard", "untrusted"] as const;

/** One of {@link TRUST_LEVELS}. */
export type TrustLevel = (typeof TRUST_LEVELS)[number];

/** What stands between a module's lane and this node: a thread, or a process of its own. */
export const ISOLATIONS = ["thread", "process"] as const;

/** One of {@link ISOLATIONS}. It decides what a crash of the engine takes with it, and never a result. */
export type Isolation = (typeof ISOLATIONS)[number];

/** The isolation of each level. */
export const ISOLATION: Readonly<Record<TrustLevel, Isolation>> = {
  trusted: "thread",
  standard: "thread",
  untrusted: "process",
};

const MEBIBYTE = 1024 * 1024;

/** The policy of each level. At `standard`, an endless loop over 4096 rows is stopped within a tenth of a second. */
export const POLICIES: Readonly<Record<TrustLevel, SandboxPolicy>> = {
  trusted: {
    fuelPerCall: 1e9,
    fuelPerRow: 1e6,
    memoryBytesMax: 256 * MEBIBYTE,
    stackValuesMax: STACK_VALUES_DEFAULT,
    outputBytesMax: 32 * MEBIBYTE,
    capabilities: CAPABILITIES,
  },
  standard: {
    fuelPerCall: 2e7,
    fuelPerRow: 1e4,
    memoryBytesMax: 64 * MEBIBYTE,
    stackValuesMax: STACK_VALUES_DEFAULT,
    outputBytesMax: 32 * MEBIBYTE,
    capabilities: [],
  },
  untrusted: {
    fuelPerCall: 5e6,
    fuelPerRow: 2e3,
    memoryBytesMax: 16 * MEBIBYTE,
    stackValuesMax: STACK_VALUES_DEFAULT / 4,
    outputBytesMax: 8 * MEBIBYTE,
    capabilities: [],
  },
};

/** What each number of a policy may be, and the rows of a unit: least and most. */
export const POLICY_RANGES = {
  unit: [1, 4096],
  fuelPerCall: [0, 1e12],
  fuelPerRow: [0, 1e8],
  memoryBytesMax: [64 * 1024, 4 * 1024 * MEBIBYTE],
  stackValuesMax: [1000, STACK_MAX],
  outputBytesMax: [1, 64 * MEBIBYTE],
} as const;

/** A number that is out of its range. */
export interface PolicyFault {
  readonly what: string;
  readonly value: number;
  readonly least: number;
  readonly most: number;
}

/** The first number of a stranger's policy, or of the unit that goes with it, that is out of its range; `undefined`: none is. */
export function policyFault(limits: Omit<SandboxPolicy, "capabilities">, unit: number | null): PolicyFault | undefined {
  const values = { ...limits, unit: unit ?? 1 };
  for (const [what, [least, most]] of Object.entries(POLICY_RANGES)) {
    const value = values[what as keyof typeof values]; // the names are those of the ranges
    if (!(value >= least && value <= most)) return { what, value, least, most };
  }
  return undefined;
}
