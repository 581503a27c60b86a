import { CodeReader } from "../metering/code-reader.ts";
import { BinaryError } from "../wasm/binary.ts";
import type { ModuleShape } from "../wasm/module.ts";
import { OPCODES, PREFIX_MISC, PREFIX_SIMD } from "../wasm/opcodes.ts";

/** Classes of instructions, in the order in which reports list them. */
export const INSTRUCTION_CLASSES = [
  "control",
  "call",
  "stack",
  "variable",
  "table",
  "memory",
  "bulk",
  "constant",
  "integer",
  "float",
  "conversion",
  "reference",
  "vector",
] as const;

/** One of {@link INSTRUCTION_CLASSES}. */
export type InstructionClass = (typeof INSTRUCTION_CLASSES)[number];

/** What the bodies of a module hold. */
export interface InstructionCounts {
  readonly classes: Readonly<Record<InstructionClass, number>>;
  /** Features beyond WebAssembly 1.0 that it uses, and whether it computes with floats. */
  readonly features: readonly string[];
  /** By own function: its loops, and how many of them lie inside each other at most. */
  readonly loops: readonly { readonly count: number; readonly depth: number }[];
}

const BLOCK = 0x02;
const LOOP = 0x03;
const IF = 0x04;
const END = 0x0b;

/** Counts the instructions of a module that was found valid and allowed. Throws {@link BinaryError} for one that was not. */
export function countInstructions(shape: ModuleShape): InstructionCounts {
  const code = new CodeReader(shape.bytes);
  const byNumber = new Float64Array(OPCODES.allowed.length);
  const loops = shape.bodies.map(({ locals, end }) => {
    code.seek(locals, end);
    return countBody(code, end, byNumber);
  });
  const classes = Object.fromEntries(INSTRUCTION_CLASSES.map((name) => [name, 0])) as Record<InstructionClass, number>;
  for (const [op, count] of byNumber.entries()) if (count > 0) classes[classOf(op)] += count;
  return { classes, features: featuresOf(shape, byNumber), loops };
}

function countBody(code: CodeReader, end: number, byNumber: Float64Array): { count: number; depth: number } {
  for (let groups = code.u32(); groups > 0; groups--) {
    code.u32();
    code.byte();
  }
  const open: number[] = [BLOCK];
  let count = 0;
  let inside = 0;
  let depth = 0;
  while (code.at < end) {
    const op = code.opcode();
    if (OPCODES.allowed[op] !== 1) throw new BinaryError(`uses instruction 0x${op.toString(16)}`);
    byNumber[op] = (byNumber[op] as number) + 1;
    if (op === BLOCK || op === LOOP || op === IF) {
      open.push(op);
      if (op === LOOP) {
        count++;
        depth = Math.max(depth, ++inside);
      }
    } else if (op === END && open.pop() === LOOP) inside--;
    code.skipOperands(op);
  }
  return { count, depth };
}

function classOf(op: number): InstructionClass {
  if (op >= PREFIX_SIMD) return "vector";
  if (op >= PREFIX_MISC) return op < PREFIX_MISC + 8 ? "conversion" : op < PREFIX_MISC + 12 ? "bulk" : "table";
  for (const [last, name] of CLASS_ENDS) if (op <= last) return name;
  return "reference";
}

/** The last opcode of each stretch of opcodes of one class. */
const CLASS_ENDS: readonly (readonly [last: number, name: InstructionClass])[] = [
  [0x0f, "control"],
  [0x13, "call"],
  [0x1c, "stack"],
  [0x24, "variable"],
  [0x26, "table"],
  [0x40, "memory"],
  [0x44, "constant"],
  [0x5a, "integer"],
  [0x66, "float"],
  [0x8a, "integer"],
  [0xa6, "float"],
  [0xbf, "conversion"],
  [0xc4, "integer"],
];

function featuresOf(shape: ModuleShape, byNumber: Float64Array): string[] {
  const uses = (first: number, last: number): boolean => byNumber.subarray(first, last + 1).some((count) => count > 0);
  const sharedGlobal = [...shape.imports, ...shape.exports].some(
    ({ kind, index }) => kind === "global" && shape.globals[index]?.isMutable === true,
  );
  const found: readonly (readonly [feature: string, used: boolean])[] = [
    ["floats", uses(0x43, 0x44) || uses(0x5b, 0x66) || uses(0x8b, 0xa6)],
    ["sign extension", uses(0xc0, 0xc4)],
    ["saturating conversions", uses(PREFIX_MISC, PREFIX_MISC + 7)],
    ["multiple values", shape.types.some(({ results }) => results.length > 1)],
    ["bulk memory", uses(PREFIX_MISC + 8, PREFIX_MISC + 11) || shape.hasPassiveSegments],
    ["reference types", uses(0xd0, 0xd2) || uses(0x25, 0x26) || uses(PREFIX_MISC + 15, PREFIX_MISC + 17)],
    ["SIMD", uses(PREFIX_SIMD, PREFIX_SIMD + 0xff)],
    ["mutable globals", sharedGlobal],
    ["calls through tables", uses(0x11, 0x11) || uses(0x13, 0x13)],
    ["tail calls", uses(0x12, 0x13)],
    ["start function", shape.start !== undefined],
  ];
  return found.flatMap(([feature, used]) => (used ? [feature] : []));
}
