import { EXTISM_FUNCTIONS } from "../host/extism.ts";
import type { Tab } from "../host/tab.ts";
import type { HostFunction } from "../host/table.ts";
import { LOG_CHARACTERS_MAX, MESSAGE_CHARACTERS_MAX } from "../limits.ts";
import { Stop } from "../stop.ts";
import type { ExtismSpace } from "./extism-space.ts";
import type { AbiHost } from "./port.ts";

/** The module name under which plugins import the kernel. */
export const EXTISM_ENV = "extism:host/env";
/** Bytes of all variables, each with its key and 48 bytes beside, as in the Extism runtime when nothing else is said. */
const VARIABLES_BYTES_MAX = 1024 * 1024;
const VARIABLE_OVERHEAD_BYTES = 48;
/** The level from which lines are written: information, the runtime's own default. */
const LOG_LEVEL = 2;
const LEVELS = ["trace", "debug", "info", "warn", "error"] as const;

const PRICES = new Map(
  Object.entries(EXTISM_FUNCTIONS).map(([name, price]) => [name.slice(EXTISM_ENV.length + 1), price] as const),
);

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const lenient = new TextDecoder();

/** What the kernel keeps for a plugin: input and output of the call that runs, and the variables of all calls of an instance. */
export class ExtismEnv {
  private readonly host: AbiHost;
  private readonly tab: Tab;
  private readonly space: ExtismSpace;
  private readonly variables = new Map<string, Uint8Array>();
  private variableBytes = 0;
  private input = 0n;
  private inputLength = 0n;
  private output = { address: 0n, length: 0n };
  private error = 0n;

  constructor(host: AbiHost, tab: Tab, space: ExtismSpace) {
    this.host = host;
    this.tab = tab;
    this.space = space;
  }

  /** Begins a call: an empty space with the input in its first block, no output, no error. */
  begin(input: Uint8Array): void {
    this.space.reset();
    this.input = BigInt(this.space.put(input));
    this.inputLength = BigInt(input.length);
    this.output = { address: 0n, length: 0n };
    this.error = 0n;
  }

  /** Ends a call that returned a code: a copy of its output. Throws a {@link Stop} for a code or a message that report a failure. */
  end(code: unknown): Uint8Array<ArrayBuffer> {
    const words = this.error === 0n ? 0 : this.space.length(this.error);
    if (words > 0) {
      const text = lenient.decode(this.space.block(this.error, "error_set").subarray(0, 4 * MESSAGE_CHARACTERS_MAX));
      throw new Stop("trap", `the plugin says: ${printable(text)}`);
    }
    if (code !== undefined && code !== 0)
      throw new Stop("trap", `the plugin reported a failure (it returned ${String(code)})`);
    const { address, length } = this.output;
    return length === 0n ? new Uint8Array(0) : this.space.range(address, length, "output_set").slice();
  }

  /** The functions to instantiate a plugin with. */
  imports(): Record<string, (...values: never[]) => unknown> {
    return { ...this.memory(), ...this.exchange(), ...this.lookups(), ...this.network(), ...this.logging() };
  }

  private memory(): Record<string, (...values: never[]) => unknown> {
    const { space, tab } = this;
    const length = (price: HostFunction) => (address: bigint) => {
      tab.note(price);
      return BigInt(space.length(address));
    };
    const [alloc, free, loadU8, loadU64] = [price("alloc"), price("free"), price("load_u8"), price("load_u64")];
    const [storeU8, storeU64] = [price("store_u8"), price("store_u64")];
    return {
      alloc: (size: bigint) => {
        const address = space.alloc(size);
        tab.note(alloc, address === 0 ? 0 : Number(size));
        return BigInt(address);
      },
      free: (address: bigint) => {
        tab.note(free);
        // The input's block may be freed; what it held is no input any more.
        if (address !== 0n && address === this.input && space.length(address) > 0) this.inputLength = 0n;
        space.release(address);
      },
      length: length(price("length")),
      length_unsafe: length(price("length_unsafe")),
      load_u8: (address: bigint) => {
        tab.note(loadU8);
        return space.loadU8(address);
      },
      load_u64: (address: bigint) => {
        tab.note(loadU64);
        return space.loadU64(address);
      },
      store_u8: (address: bigint, value: number) => {
        tab.note(storeU8);
        space.storeU8(address, value);
      },
      store_u64: (address: bigint, value: bigint) => {
        tab.note(storeU64);
        space.storeU64(address, value);
      },
    };
  }

  private exchange(): Record<string, (...values: never[]) => unknown> {
    const { space, tab } = this;
    const [loadU8, loadU64] = [price("input_load_u8"), price("input_load_u64")];
    return {
      input_offset: () => {
        tab.note(price("input_offset"));
        return this.input;
      },
      input_length: () => {
        tab.note(price("input_length"));
        return this.inputLength;
      },
      input_load_u8: (offset: bigint) => {
        tab.note(loadU8);
        return space.loadU8(this.inputAt(offset, 1n));
      },
      input_load_u64: (offset: bigint) => {
        tab.note(loadU64);
        return space.loadU64(this.inputAt(offset, 8n));
      },
      output_set: (address: bigint, length: bigint) => {
        tab.note(price("output_set"));
        // PDKs say so for an empty output: the kernel passes it over.
        if (address === 0n && length === 0n) return;
        space.range(address, length, "output_set");
        this.output = { address, length };
      },
      error_set: (address: bigint) => {
        tab.note(price("error_set"));
        if (address !== 0n) space.range(address, 1n, "error_set");
        this.error = address;
      },
    };
  }

  private inputAt(offset: bigint, length: bigint): bigint {
    const from = BigInt.asUintN(64, offset);
    if (from + length <= this.inputLength) return this.input + from;
    throw new Stop("trap", `the plugin read ${length} bytes at ${from} of an input of ${this.inputLength} bytes`);
  }

  private lookups(): Record<string, (...values: never[]) => unknown> {
    const { space, tab } = this;
    const { settings } = this.host.options;
    const answer = (name: string, value: Uint8Array | undefined): bigint => {
      tab.note(price(name), value?.length ?? 0);
      return value === undefined ? 0n : BigInt(space.put(value));
    };
    return {
      config_get: (key: bigint) => {
        const name = this.key(key, "config_get");
        return answer(
          "config_get",
          Object.hasOwn(settings, name) ? new TextEncoder().encode(settings[name]) : undefined,
        );
      },
      var_get: (key: bigint) => answer("var_get", this.variables.get(this.key(key, "var_get"))),
      var_set: (key: bigint, value: bigint) => {
        const name = this.key(key, "var_set");
        if (value === 0n) return this.forget(name);
        const bytes = space.block(value, "var_set");
        tab.note(price("var_set"), bytes.length);
        this.keep(name, bytes.slice());
      },
    };
  }

  private key(address: bigint, what: string): string {
    const bytes = this.space.block(address, what);
    this.tab.note(price(what), bytes.length);
    try {
      return strict.decode(bytes);
    } catch {
      throw new Stop("trap", `${what} was given a key that is no UTF-8 text`);
    }
  }

  private keep(name: string, value: Uint8Array): void {
    const own = sizeOf(name, value);
    // The runtime counts what the key held before as well.
    if (this.variableBytes + own > VARIABLES_BYTES_MAX)
      throw new Stop("memory", `the plugin's variables would take more than ${VARIABLES_BYTES_MAX} bytes`);
    this.forget(name);
    this.variables.set(name, value);
    this.variableBytes += own;
  }

  private forget(name: string): void {
    const value = this.variables.get(name);
    if (value === undefined) return;
    this.variables.delete(name);
    this.variableBytes -= sizeOf(name, value);
  }

  private network(): Record<string, (...values: never[]) => unknown> {
    const { tab } = this;
    return {
      http_request: () => {
        tab.note(price("http_request"));
        throw new Stop("denied", "it asked for an HTTP request, which no module may make");
      },
      // As in a runtime that has made no request yet.
      http_status_code: () => {
        tab.note(price("http_status_code"));
        return 0;
      },
      http_headers: () => {
        tab.note(price("http_headers"));
        return 0n;
      },
    };
  }

  private logging(): Record<string, (...values: never[]) => unknown> {
    const { space, tab, host } = this;
    const functions: Record<string, (...values: never[]) => unknown> = {
      get_log_level: () => {
        tab.note(price("get_log_level"));
        return LOG_LEVEL;
      },
    };
    for (const [i, level] of LEVELS.entries()) {
      const name = `log_${level}`;
      functions[name] = (address: bigint) => {
        tab.note(price(name), space.length(address));
        if (i < LOG_LEVEL) return;
        const text = lenient.decode(space.block(address, name).subarray(0, 4 * LOG_CHARACTERS_MAX));
        host.log(`${level}: ${text}`);
      };
    }
    return functions;
  }
}

function price(name: string): HostFunction {
  const found = PRICES.get(name);
  if (found === undefined) throw new RangeError(`no price for ${name}`);
  return found;
}

function sizeOf(name: string, value: Uint8Array): number {
  return VARIABLE_OVERHEAD_BYTES + Buffer.byteLength(name) + value.length;
}

function printable(text: string): string {
  return text
    .slice(0, MESSAGE_CHARACTERS_MAX)
    .replaceAll(/\p{Cc}/gu, " ")
    .toWellFormed();
}
