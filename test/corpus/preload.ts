// Loaded before a program (`node --import`): whatever WebAssembly the program uses is instrumented first, and its meter filled.
import { instrument } from "../../src/sandbox/metering/instrument.ts";
import {
  FUEL_MAX,
  filled,
  METER_EXPORT,
  type MeterGlobal,
  STACK_MAX,
  START_EXPORT,
} from "../../src/sandbox/metering/meter.ts";
import { CORPUS_OPTIONS } from "./options.ts";

type Source = Uint8Array | ArrayBuffer;
type Imports = Record<string, Record<string, unknown>>;

const { Module, Instance } = WebAssembly;

function instrumented(source: Source): Uint8Array<ArrayBuffer> {
  return instrument(source instanceof Uint8Array ? source : new Uint8Array(source), CORPUS_OPTIONS).bytes;
}

function ready(instance: WebAssembly.Instance): WebAssembly.Instance {
  const { [METER_EXPORT]: meter, [START_EXPORT]: start } = instance.exports;
  (meter as MeterGlobal).value = filled(FUEL_MAX, STACK_MAX);
  (start as (() => void) | undefined)?.();
  return instance;
}

const made = (source: Source): WebAssembly.Module => new Module(instrumented(source));
Object.assign(WebAssembly, {
  Module: new Proxy(Module, { construct: (_, [source]: [Source]) => made(source) }),
  Instance: new Proxy(Instance, {
    construct: (_, [module, imports]: [WebAssembly.Module, Imports]) => ready(new Instance(module, imports)),
  }),
  compile: async (source: Source) => made(source),
  instantiate: async (source: Source | WebAssembly.Module, imports: Imports) => {
    if (source instanceof Module) return ready(new Instance(source, imports));
    const module = made(source);
    return { module, instance: ready(new Instance(module, imports)) };
  },
  compileStreaming: undefined,
  instantiateStreaming: undefined,
});
