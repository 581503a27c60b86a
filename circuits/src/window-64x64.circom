// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.1.6;

include "./window.circom";

component main {public [context, commitment, count, sum, min, max]} = WindowAggregate(64, 64);
