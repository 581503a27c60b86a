// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.1.6;

include "circomlib/circuits/bitify.circom";
include "circomlib/circuits/poseidon.circom";

// Hashes N field elements to at most 13, with Poseidon over groups of 16; the last group is filled with zeros. N is a
// constant of the circuit, so two inputs of one circuit are always folded the same way and padding is never ambiguous.
template Fold(N) {
    signal input in[N];
    signal output out[folded(N)];

    if (N <= 13) {
        for (var i = 0; i < N; i++) { out[i] <== in[i]; }
    } else {
        var M = (N + 15) \ 16;
        component hash[M];
        component rest = Fold(M);
        for (var i = 0; i < M; i++) {
            hash[i] = Poseidon(16);
            for (var j = 0; j < 16; j++) {
                if (16 * i + j < N) { hash[i].inputs[j] <== in[16 * i + j]; } else { hash[i].inputs[j] <== 0; }
            }
            rest.in[i] <== hash[i].out;
        }
        for (var i = 0; i < folded(M); i++) { out[i] <== rest.out[i]; }
    }
}

// How many elements Fold leaves.
function folded(N) {
    var left = N;
    while (left > 13) { left = (left + 15) \ 16; }
    return left;
}

// Proves count, sum, minimum and maximum of 1..N committed signed BITS-bit integers.
//
// p is the order of the field (BN254, about 2^253.6), OFFSET = 2^(BITS-1). A negative public number x is the field
// element p + x. A private row holds u = value + OFFSET, so 0 <= u < 2^BITS; a padding row holds 0.
//
// Every input is given, and nothing is computed by the witness generator except the bits inside Num2Bits and plain
// `<==` products, so there is no hint that a constraint would have to pin down.
template WindowAggregate(N, BITS) {
    // BITS <= 64 and N <= 2^16 keep every integer below 2^81, far from p: equations over the field are equations over
    // the integers. Num2Bits(BITS) has one solution because 2^BITS < p.
    assert(BITS >= 2 && BITS <= 64);
    assert(N >= 1 && N <= 65536);
    var OFFSET = 2 ** (BITS - 1);
    var PER_LIMB = 253 \ BITS;
    var LIMBS = (N + PER_LIMB - 1) \ PER_LIMB;

    // Public, in this order.
    signal input context;     // what the proof is about; see (10)
    signal input commitment;
    signal input count;
    signal input sum;
    signal input min;
    signal input max;
    // Private.
    signal input values[N];   // u of each row, 0 in padding rows
    signal input active[N];   // 1 for a row, 0 for padding
    signal input salt;        // full-entropy field element: hides the values behind the commitment

    // (1) Each flag is 0 or 1. (2) A row follows a row: flags are ones, then zeros. (3) The first is a row: count >= 1.
    active[0] === 1;
    for (var i = 1; i < N; i++) {
        active[i] * (active[i] - 1) === 0;
        active[i] * (1 - active[i - 1]) === 0;
    }

    // (4) Padding holds 0. So the packed values and the count fix the whole window: no second reading of a commitment.
    for (var i = 0; i < N; i++) { values[i] * (1 - active[i]) === 0; }

    // (5) The count is the number of rows; the sum of the u is the signed sum plus OFFSET for each row.
    var rows = 0;
    var total = 0;
    for (var i = 0; i < N; i++) { rows += active[i]; total += values[i]; }
    count === rows;
    sum + OFFSET * count === total;

    // (6) lowest and highest are the offset-encoded min and max; both lie in [0, 2^BITS).
    signal lowest <== min + OFFSET;
    signal highest <== max + OFFSET;
    component lowestBits = Num2Bits(BITS);
    component highestBits = Num2Bits(BITS);
    lowestBits.in <== lowest;
    highestBits.in <== highest;

    // (7) For each row, highest - u and u - lowest lie in [0, 2^BITS). With (6): 0 <= lowest <= u <= highest < 2^BITS
    // over the integers, so no row needs a range check of its own. In padding both differences are taken as highest
    // and 0, which always pass. active * (u - lowest) is written u - active * lowest, equal because of (4).
    // (8) Some row equals lowest: the product over all of (u - lowest) is 0, where padding contributes a factor 1.
    // (9) Some row equals highest: the product of (highest - u) is 0. Padding contributes highest: when that is 0,
    // every u is 0 by (7), and row 0 exists by (3), so highest is still the value of a row.
    component above[N];
    component below[N];
    signal floor[N];
    signal lowestProduct[N + 1];
    signal highestProduct[N + 1];
    lowestProduct[0] <== 1;
    highestProduct[0] <== 1;
    for (var i = 0; i < N; i++) {
        floor[i] <== active[i] * lowest;
        below[i] = Num2Bits(BITS);
        below[i].in <== values[i] - floor[i];
        above[i] = Num2Bits(BITS);
        above[i].in <== highest - values[i];
        lowestProduct[i + 1] <== lowestProduct[i] * (values[i] - floor[i] + 1 - active[i]);
        highestProduct[i + 1] <== highestProduct[i] * (highest - values[i]);
    }
    lowestProduct[N] === 0;
    highestProduct[N] === 0;

    // (10) The context takes part in one product, so it is a variable of the system and cannot be exchanged in a
    // finished proof. It says nothing about the values: the verifier compares it with the one it expects.
    signal contextSquare <== context * context;

    // (11) commitment = Poseidon(N * 2^16 + BITS, count, salt, limbs...), limbs folded to at most 13 elements. A limb packs
    // PER_LIMB values of BITS bits, little-endian: injective, since by (7) each is below 2^BITS and the limb below
    // 2^253 < p. Binding is the collision resistance of Poseidon; hiding rests on the salt.
    component fold = Fold(LIMBS);
    for (var i = 0; i < LIMBS; i++) {
        var limb = 0;
        for (var j = 0; j < PER_LIMB; j++) {
            if (PER_LIMB * i + j < N) { limb += values[PER_LIMB * i + j] * (2 ** (BITS * j)); }
        }
        fold.in[i] <== limb;
    }
    component root = Poseidon(3 + folded(LIMBS));
    root.inputs[0] <== N * 65536 + BITS;
    root.inputs[1] <== count;
    root.inputs[2] <== salt;
    for (var i = 0; i < folded(LIMBS); i++) { root.inputs[3 + i] <== fold.out[i]; }
    commitment === root.out;
}
