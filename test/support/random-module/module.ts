import { ByteWriter } from "../../../src/sandbox/wasm/writer.ts";
import { BodyMaker, type Features, NUMBERS, type Signature, type Surroundings } from "./body.ts";
import { Dice } from "./dice.ts";
import {
  counted,
  F32,
  F64,
  FUNCREF,
  I32,
  I64,
  type Instruction,
  plain,
  signed,
  unsigned,
  V128,
} from "./instruction.ts";

/** What a random module is made from. */
export interface ModuleChoice extends Partial<Features> {
  readonly seed: number;
  /** Instructions of a function, about. */
  readonly size: number;
}

/** A valid module, and the same with a count of its own work. */
export interface RandomModule {
  readonly raw: Uint8Array<ArrayBuffer>;
  /** As `raw`; its exports `exact` and `places` are counted as {@link counted} says. */
  readonly counted: Uint8Array<ArrayBuffer>;
  /** Names of the functions to call, `(i32, i64) -> i32`; `dump()` writes all globals to memory. */
  readonly calls: readonly string[];
}

const TABLE = 8;
const GLOBALS = [I32, I32, I64, F32, F64, V128, FUNCREF, F64] as const;
/** Where `dump` writes. */
const DUMP_AT = 0xff00;
/** How often loops may turn and functions be called, until the guard is set again. */
const GUARD = 150;

interface Made {
  readonly types: readonly Signature[];
  readonly functions: readonly number[];
  readonly hidden: ReadonlySet<number>;
  readonly bodies: readonly { readonly locals: readonly number[]; readonly code: readonly Instruction[] }[];
  readonly data: readonly Uint8Array[];
}

/**
 * A module made from a seed, always the same. It imports `env.note (i32) -> i32` and has a memory of one page that may grow, a
 * table, active and passive segments, globals of all types.
 */
export function randomModule({
  seed,
  size,
  signs = true,
  traps = true,
  tailCalls = false,
}: ModuleChoice): RandomModule {
  const dice = new Dice(seed);
  const types = typesOf(dice);
  const own = 4 + dice.below(5);
  // Function 0 is the import; the last two are the ones to call.
  const functions = [1, ...Array.from({ length: own - 2 }, () => dice.below(types.length)), 0, 0];
  // Global 6 and the passive segment refer to functions 1 and 2.
  const hidden = new Set(functions.keys().filter((i) => i > 2 && i < own - 1 && dice.oneIn(2)));
  const around: Surroundings = {
    types,
    functions,
    hidden,
    globals: [...GLOBALS.slice(0, -1)],
    tableSize: TABLE,
    features: { signs, traps, tailCalls },
  };
  const bodies = functions.slice(1).map((type, i) => {
    const isLeaf = i < own - 2 && dice.oneIn(3);
    const maker = new BodyMaker(dice, around, types[type] as Signature, size, isLeaf);
    maker.make();
    return { locals: maker.locals.slice(types[type]?.parameters.length), code: maker.code };
  });
  const data = [0, 1].map((part) => Uint8Array.from({ length: part === 0 ? 1024 : 64 }, (_, i) => byteAt(dice, i)));
  const made: Made = { types, functions, hidden, bodies, data };
  return { raw: assembled(made, false), counted: assembled(made, true), calls: ["first", "second"] };
}

/** Small numbers and NaNs of both widths, in turns. */
function byteAt(dice: Dice, i: number): number {
  if ((i & 31) < 8) return dice.below(256);
  if ((i & 31) < 16) return [0x45, 0x23, 0xa1, 0x7f, 0xbc, 0x9a, 0xf4, 0xff][i & 7] ?? 0;
  return (i & 31) < 24 ? ([0, 0, 0x80, 0x3f, 0, 0, 0xf0, 0x7f][i & 7] ?? 0) : 0;
}

function typesOf(dice: Dice): Signature[] {
  const some = (most: number): number[] => Array.from({ length: dice.below(most + 1) }, () => dice.pick(NUMBERS));
  const through = dice.pick([[F32], [F64], [V128], [I32, F64]]);
  return [
    { parameters: [I32, I64], results: [I32] },
    { parameters: [I32], results: [I32] },
    { parameters: through, results: through },
    ...NUMBERS.map((type) => ({ parameters: some(2), results: [type] })),
    { parameters: some(3), results: some(3) },
    { parameters: [], results: some(2) },
  ];
}

type Write = (content: ByteWriter) => void;

function assembled(made: Made, isCounted: boolean): Uint8Array<ArrayBuffer> {
  const module = new ByteWriter(4096);
  module.copy(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0));
  const section = (id: number, write: Write): void => {
    const content = new ByteWriter(1024);
    write(content);
    module.byte(id);
    module.u32(content.size);
    module.append(content);
  };
  const bytes = (content: ByteWriter, ...all: number[]): void => content.copy(Uint8Array.from(all));
  const { types, functions, hidden } = made;
  section(1, (content) => {
    content.u32(types.length + 1);
    for (const { parameters, results } of [...types, { parameters: [], results: [] }]) {
      bytes(content, 0x60, parameters.length, ...parameters, results.length, ...results);
    }
  });
  section(2, (content) => {
    content.u32(1);
    content.name("env");
    content.name("note");
    bytes(content, 0, 1);
  });
  section(3, (content) => {
    content.u32(functions.length);
    for (const type of functions.slice(1)) content.u32(type);
    content.u32(types.length);
  });
  section(4, (content) => bytes(content, 1, FUNCREF, 1, TABLE, 40));
  section(5, (content) => bytes(content, 1, 1, 1, 3));
  section(6, (content) => globals(content, isCounted));
  section(7, (content) => exported(content, functions.length, isCounted));
  section(9, (content) => {
    const first = functions.slice(0, TABLE).map((_, i) => (hidden.has(i) ? 0 : i));
    bytes(content, 3, 0, 0x41, 0, 0x0b, first.length, ...first);
    bytes(content, 1, 0, 2, 1, 2);
    const declared = [...functions.keys()].filter((i) => !hidden.has(i));
    bytes(content, 3, 0, declared.length, ...declared);
  });
  section(12, (content) => content.u32(2));
  section(10, (content) => {
    content.u32(functions.length);
    for (const [i, body] of made.bodies.entries()) {
      const parameters = types[functions[i + 1] ?? 0]?.parameters.length ?? 0;
      functionBody(
        content,
        body.locals,
        isCounted
          ? counted(body.code, { fuel: 8, places: 9, length: parameters + body.locals.length })
          : plain(body.code),
      );
    }
    functionBody(content, [], dump());
  });
  section(11, (content) => {
    const [active, passive] = made.data;
    bytes(content, 2, 0, 0x41, 0, 0x0b, ...unsigned(active?.length ?? 0), ...(active ?? []));
    bytes(content, 1, passive?.length ?? 0, ...(passive ?? []));
  });
  return module.take();
}

function functionBody(content: ByteWriter, locals: readonly number[], code: readonly number[]): void {
  const body = [...unsigned(locals.length + 1), ...locals.flatMap((type) => [1, type]), 1, I32, ...code];
  content.u32(body.length);
  content.copy(Uint8Array.from(body));
}

function globals(content: ByteWriter, isCounted: boolean): void {
  content.u32(isCounted ? GLOBALS.length + 2 : GLOBALS.length);
  const zero: Record<number, number[]> = {
    [I32]: [0x41, 7],
    [I64]: [0x42, 9],
    [F32]: [0x43, 0x45, 0x23, 0xa1, 0x7f],
    [F64]: [0x44, 0, 0, 0, 0, 0, 0, 0xf8, 0x3f],
    [V128]: [0xfd, 12, 1, 0, 0, 0, 0x45, 0x23, 0xa1, 0x7f, 0, 0, 0x80, 0x3f, 0, 0, 0xf0, 0x7f],
    [FUNCREF]: [0xd2, 1],
  };
  for (const [i, type] of GLOBALS.entries()) {
    const value = i === 0 ? [0x41, ...signed(BigInt(GUARD))] : (zero[type] ?? []);
    content.copy(Uint8Array.of(type, i === GLOBALS.length - 1 ? 0 : 1, ...value, 0x0b));
  }
  if (isCounted) for (let i = 0; i < 2; i++) content.copy(Uint8Array.of(I64, 1, 0x42, 0, 0x0b));
}

function exported(content: ByteWriter, functions: number, isCounted: boolean): void {
  const all: [name: string, kind: number, index: number][] = [
    ["memory", 2, 0],
    ["first", 0, functions - 2],
    ["second", 0, functions - 1],
    ["dump", 0, functions],
    ["guard", 3, 0],
  ];
  if (isCounted) all.push(["exact", 3, GLOBALS.length], ["places", 3, GLOBALS.length + 1]);
  content.u32(all.length);
  for (const [name, kind, index] of all) {
    content.name(name);
    content.byte(kind);
    content.u32(index);
  }
}

/** Writes the globals to memory, sixteen bytes each. */
function dump(): number[] {
  const stores: Record<number, number[]> = {
    [I32]: [0x36],
    [I64]: [0x37],
    [F32]: [0x38],
    [F64]: [0x39],
    [V128]: [0xfd, 0x0b],
  };
  const code = [...GLOBALS.keys()].flatMap((i) => {
    const store = stores[GLOBALS[i] ?? 0];
    return store === undefined ? [] : [0x41, ...signed(BigInt(DUMP_AT + 16 * i)), 0x23, i, ...store, 0, 0];
  });
  return [...code, 0x0b];
}
