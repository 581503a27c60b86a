// SPDX-License-Identifier: GPL-3.0-or-later
// The part of snarkjs 0.7 that the files of this folder use; the package carries no types of its own.

declare module "snarkjs" {
  /** A file in memory, or a path. */
  type Binary = string | Uint8Array | { type: "mem"; data?: Uint8Array };

  interface Logger {
    debug(message: string): void;
    info(message: string): void;
    warn(message: string): void;
    error(message: string): void;
  }

  interface Groth16Json {
    pi_a: string[];
    pi_b: string[][];
    pi_c: string[];
  }

  export const wtns: {
    calculate(input: unknown, wasm: Binary, output: Binary): Promise<void>;
    check(r1cs: Binary, witness: Binary, logger?: Logger): Promise<boolean>;
  };

  export const groth16: {
    prove(
      zkey: Binary,
      witness: Binary,
      logger?: Logger,
      options?: { singleThread?: boolean },
    ): Promise<{ proof: Groth16Json; publicSignals: string[] }>;
    verify(vkey: unknown, publicSignals: readonly string[], proof: unknown, logger?: Logger): Promise<boolean>;
  };

  export const zKey: {
    newZKey(r1cs: Binary, ptau: Binary, output: Binary, logger?: Logger): Promise<unknown>;
    contribute(
      input: Binary,
      output: Binary,
      name: string,
      entropy: string | Uint8Array,
      logger?: Logger,
    ): Promise<unknown>;
    verifyFromR1cs(r1cs: Binary, ptau: Binary, zkey: Binary, logger?: Logger): Promise<boolean>;
    exportVerificationKey(zkey: Binary, logger?: Logger): Promise<Record<string, unknown>>;
  };

  /** A group element or a scalar, in the library's own memory layout. */
  type Element = Uint8Array;

  export interface ScalarField {
    readonly zero: Element;
    readonly one: Element;
    readonly w: readonly Element[];
    e(value: bigint | number): Element;
    add(a: Element, b: Element): Element;
    sub(a: Element, b: Element): Element;
    mul(a: Element, b: Element): Element;
    div(a: Element, b: Element): Element;
    inv(a: Element): Element;
    exp(a: Element, power: number | bigint): Element;
  }

  export interface CurveGroup {
    readonly F: { readonly n8: number };
    readonly g: Element;
    timesFr(point: Element, scalar: Element): Element;
    toRprLEM(buffer: Uint8Array, offset: number, point: Element): void;
  }

  export interface Curve {
    readonly q: bigint;
    readonly r: bigint;
    readonly Fr: ScalarField;
    readonly G1: CurveGroup;
    readonly G2: CurveGroup;
    terminate(): Promise<void>;
  }

  export const curves: { getCurveFromName(name: string, options?: { singleThread?: boolean }): Promise<Curve> };
}
