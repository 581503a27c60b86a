import { has } from "./field";
import { Block } from "./header";
import { contentLength, contentOf } from "./rlp";
import { Tx } from "./transaction";

const WIDTH: usize = 32;
const MOST = memory.data(32, 16);
const TIP = memory.data(32, 16);
const BASE = memory.data(32, 16);

/** Bytes of what {@link gasPrice} returns. */
export const gasPriceLength: usize = WIDTH;

/**
 * Where the price of a unit of gas lies that a transaction paid, 32 bytes: what it says itself, or from EIP-1559 on the block's base fee
 * and its priority fee, at most its maximum.
 */
export function gasPrice(transaction: usize, block: usize): usize {
  if (load<u32>(transaction, Tx.KIND) < 2) {
    widen(transaction + Tx.GAS_PRICE, MOST);
    return MOST;
  }
  widen(transaction + Tx.MAX_FEE, MOST);
  widen(transaction + Tx.MAX_PRIORITY, TIP);
  memory.fill(BASE, 0, WIDTH);
  if (has(block + Block.BASE_FEE)) widen(block + Block.BASE_FEE, BASE);
  let carry: u32 = 0;
  for (let i = WIDTH; i-- > 0; ) {
    const sum = <u32>load<u8>(TIP + i) + <u32>load<u8>(BASE + i) + carry;
    store<u8>(TIP + i, <u8>sum);
    carry = sum >> 8;
  }
  return carry != 0 || memory.compare(MOST, TIP, WIDTH) < 0 ? MOST : TIP;
}

function widen(field: usize, to: usize): void {
  const item = <usize>load<u32>(field);
  const length = contentLength(item, <usize>load<u32>(field, 4));
  memory.fill(to, 0, WIDTH);
  memory.copy(to + WIDTH - length, contentOf(item), length);
}
