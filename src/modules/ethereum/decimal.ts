// Decimal text of numbers of 256 bits: no column type holds them, and every sink keeps a text as it is.

const LIMBS = memory.data(32, 16);
const TEXT = memory.data(80, 16);
const DIGITS_MAX: usize = 78;
const BILLION: u64 = 1_000_000_000;

/** Where {@link decimalOf} has left its digits. */
export let decimalAt: usize = 0;

/** Writes the decimal digits of a number of at most 32 bytes, most significant first, and returns how many they are. */
export function decimalOf(bytes: usize, length: usize): usize {
  let end = TEXT + DIGITS_MAX;
  if (length <= 8) {
    let value: u64 = 0;
    for (let i: usize = 0; i < length; i++) value = (value << 8) | load<u8>(bytes + i);
    return digits(value, end);
  }
  // Limbs of 32 bits, the most significant first.
  memory.fill(LIMBS, 0, 32);
  memory.copy(LIMBS + 32 - length, bytes, length);
  for (let i: usize = 0; i < 32; i += 4) store<u32>(LIMBS + i, bswap(load<u32>(LIMBS + i)));
  let top: usize = 0;
  for (;;) {
    while (top < 24 && load<u32>(LIMBS + top) == 0) top += 4;
    if (top >= 24) break;
    let rest: u64 = 0;
    for (let i = top; i < 32; i += 4) {
      const part = (rest << 32) | <u64>load<u32>(LIMBS + i);
      store<u32>(LIMBS + i, <u32>(part / BILLION));
      rest = part % BILLION;
    }
    for (let i = 0; i < 9; i++) {
      end--;
      store<u8>(end, <u8>(0x30 + (rest % 10)));
      rest /= 10;
    }
  }
  const value = (<u64>load<u32>(LIMBS + 24) << 32) | <u64>load<u32>(LIMBS + 28);
  // Nine digits were written for each billion, so what is left is not nothing unless the number is.
  digits(value, end);
  if (value == 0) {
    while (load<u8>(decimalAt) == 0x30 && decimalAt < TEXT + DIGITS_MAX - 1) decimalAt++;
  }
  return TEXT + DIGITS_MAX - decimalAt;
}

/** Writes the digits of a number so that they end before `end`. */
function digits(number: u64, end: usize): usize {
  let at = end;
  let value = number;
  do {
    at--;
    store<u8>(at, <u8>(0x30 + (value % 10)));
    value /= 10;
  } while (value != 0);
  decimalAt = at;
  return end - at;
}
