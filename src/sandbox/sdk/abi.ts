import { tryAllocate } from "./memory";

/** Version of the ABI: 1 for `ipdm/1`. */
export function ipdm_abi(): i32 {
  return 1;
}

/** Room for what the host copies in. */
export function ipdm_alloc(bytes: i32): usize {
  return bytes < 0 ? 0 : tryAllocate(<usize>bytes);
}
