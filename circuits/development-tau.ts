// SPDX-License-Identifier: GPL-3.0-or-later
import { randomBytes } from "node:crypto";
import { type Curve, type CurveGroup, curves } from "snarkjs";

/**
 * A phase 1 ("powers of tau") file for circuits of at most 2^power constraints, prepared for phase 2, made by ONE party.
 *
 * The secrets tau, alpha and beta come from the system's random source, are never returned, stored or printed, and die
 * with the process. But a single machine knew them: whoever could read its memory can forge proofs. It is made for
 * development keys and is no substitute for a ceremony of several parties.
 *
 * Knowing tau makes it fast: Lagrange polynomials are evaluated in the field, one multiplication of the generator each,
 * instead of a Fourier transform over group elements. Only the domain of 2^power is filled (the smaller ones stay zero),
 * which is what snarkjs reads for a circuit that needs exactly this power: powers of tau in G1 (section 2, all of them,
 * since `zKey.verifyFromR1cs` checks the key's H section against them), and Lagrange evaluations (sections 12 to 15).
 *
 * Returns the file's bytes in the binary format of snarkjs 0.7.
 */
export async function developmentTau(power: number): Promise<Uint8Array> {
  const curve = await curves.getCurveFromName("bn128", { singleThread: true });
  const { Fr, G1, G2 } = curve;
  const [tau, alpha, beta] = [secret(curve), secret(curve), secret(curve)];
  const n = 2 ** power;
  const small = lagrangeAt(curve, tau, power);
  const large = lagrangeAt(curve, tau, power + 1);
  dropHighestPower(curve, tau, power + 1, large);

  const sections: readonly Section[] = [
    { id: 1, bytes: header(curve, power) },
    { id: 2, bytes: points(G1, powersOf(curve, tau, 2 * n - 1), 2 * n - 1, 0) },
    { id: 3, bytes: points(G2, powersOf(curve, tau, 2), n, 0) },
    { id: 4, bytes: points(G1, [alpha], n, 0) },
    { id: 5, bytes: points(G1, [beta], n, 0) },
    { id: 6, bytes: points(G2, [beta], 1, 0) },
    { id: 7, bytes: new Uint8Array(4) },
    // Domains of 1, 2, 4, … elements lie one after the other, so the one of n elements begins at n - 1.
    { id: 12, bytes: points(G1, [...small, ...large], 4 * n - 1, n - 1) },
    { id: 13, bytes: points(G2, small, 2 * n - 1, n - 1) },
    {
      id: 14,
      bytes: points(
        G1,
        small.map((x) => Fr.mul(x, alpha)),
        2 * n - 1,
        n - 1,
      ),
    },
    {
      id: 15,
      bytes: points(
        G1,
        small.map((x) => Fr.mul(x, beta)),
        2 * n - 1,
        n - 1,
      ),
    },
  ];
  await curve.terminate();
  return file(sections);
}

type Scalar = ReturnType<Curve["Fr"]["e"]>;

interface Section {
  readonly id: number;
  readonly bytes: Uint8Array;
}

/** A uniform scalar: 64 random bytes reduced, so that the bias is below 2^-250. */
function secret(curve: Curve): Scalar {
  return curve.Fr.e(BigInt(`0x${randomBytes(64).toString("hex")}`) % curve.r);
}

function powersOf({ Fr }: Curve, base: Scalar, count: number): Scalar[] {
  const powers: Scalar[] = [];
  let power = Fr.one;
  for (let i = 0; i < count; i++) {
    powers.push(power);
    power = Fr.mul(power, base);
  }
  return powers;
}

/** All Lagrange polynomials of the domain of N = 2^power roots of unity w^i at x: (x^N - 1)/N · w^i/(x - w^i). */
function lagrangeAt(curve: Curve, x: Scalar, power: number): Scalar[] {
  const { Fr } = curve;
  const count = 2 ** power;
  const scale = Fr.div(Fr.sub(Fr.exp(x, count), Fr.one), Fr.e(count));
  return rootsOf(curve, power).map((root) => Fr.div(Fr.mul(scale, root), Fr.sub(x, root)));
}

/**
 * Phase 1 ends at tau^(N-2), and snarkjs transforms the missing tau^(N-1) as zero. The same here: its share in
 * polynomial i is w^-(i(N-1))/N = w^i/N.
 */
function dropHighestPower(curve: Curve, tau: Scalar, power: number, lagrange: Scalar[]): void {
  const { Fr } = curve;
  const count = 2 ** power;
  const share = Fr.div(Fr.exp(tau, count - 1), Fr.e(count));
  rootsOf(curve, power).forEach((root, i) => {
    lagrange[i] = Fr.sub(lagrange[i] as Scalar, Fr.mul(share, root));
  });
}

function rootsOf(curve: Curve, power: number): Scalar[] {
  return powersOf(curve, curve.Fr.w[power] as Scalar, 2 ** power);
}

/** `scalars` times the generator, affine, from point number `first` on, in a section of `count` points. */
function points(group: CurveGroup, scalars: readonly Scalar[], count: number, first: number): Uint8Array {
  const size = 2 * group.F.n8;
  const bytes = new Uint8Array(count * size);
  scalars.forEach((scalar, i) => {
    group.toRprLEM(bytes, (first + i) * size, group.timesFr(group.g, scalar));
  });
  return bytes;
}

function header(curve: Curve, power: number): Uint8Array {
  const bytes = new Uint8Array(44);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 32, true);
  for (let i = 0; i < 32; i++) bytes[4 + i] = Number((BigInt(curve.q) >> BigInt(8 * i)) & 0xffn);
  view.setUint32(36, power, true);
  view.setUint32(40, power, true);
  return bytes;
}

function file(sections: readonly Section[]): Uint8Array {
  const bytes = new Uint8Array(sections.reduce((size, section) => size + 12 + section.bytes.length, 12));
  const view = new DataView(bytes.buffer);
  bytes.set(new TextEncoder().encode("ptau"));
  view.setUint32(4, 1, true);
  view.setUint32(8, sections.length, true);
  let at = 12;
  for (const section of sections) {
    view.setUint32(at, section.id, true);
    view.setBigUint64(at + 4, BigInt(section.bytes.length), true);
    bytes.set(section.bytes, at + 12);
    at += 12 + section.bytes.length;
  }
  return bytes;
}
