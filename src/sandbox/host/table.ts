import type { Capability } from "../policy.ts";

/**
 * Name of the table of functions that the host offers to modules, with their prices. A statement names it, as it names the cost
 * table: a function that is added, or priced differently, makes a new version.
 */
export const HOST_TABLE = "ipdm-host/2";

/** A function of the host that a module may import. */
export interface HostFunction {
  readonly signature: string;
  /** What a policy has to allow; `undefined`: always allowed. */
  readonly capability?: Capability;
  /** Fuel of a call, and for each byte that it reads or writes in the module's memory. */
  readonly fuel: number;
  readonly fuelPerByte: number;
}

/** The functions of the ABI `ipdm/1`, by module and name as they are imported. */
export const HOST_FUNCTIONS: Readonly<Record<string, HostFunction>> = {
  /** What AssemblyScript calls to stop with a message: addresses of message and file, line, column. It traps. */
  "env.abort": { signature: "(i32,i32,i32,i32)->()", fuel: 100, fuelPerByte: 0 },
  /** Writes a line of UTF-8 text (address, bytes) to the node's log. No result depends on it. */
  "ipdm.log": { signature: "(i32,i32)->()", capability: "log", fuel: 1000, fuelPerByte: 1 },
  /** Fills memory (address, bytes) from the random stream of a row (its number, then address and bytes). */
  "ipdm.random": { signature: "(i64,i32,i32)->()", capability: "random", fuel: 200, fuelPerByte: 2 },
  /**
   * Copies the text of a setting (address and bytes of its name, then where to and the most bytes). Gives the text's length in bytes,
   * which may be more than was copied, or -1 where there is none.
   */
  "ipdm.setting": { signature: "(i32,i32,i32,i32)->i32", fuel: 200, fuelPerByte: 2 },
  /** Stops the call with an error of the module's own: address and bytes of its code, then of a message in UTF-8. */
  "ipdm.fail": { signature: "(i32,i32,i32,i32)->()", fuel: 1000, fuelPerByte: 1 },
  /**
   * 1 where a signature (address of 64 bytes) is one of a message (address and bytes) under an Ed25519 key (address of 32 bytes) by the
   * strict rules, else 0. The bytes that are paid for are the message's. In the order of the parameters: key, message, its bytes, signature.
   */
  "ipdm.ed25519_verify": { signature: "(i32,i32,i32,i32)->i32", fuel: 100_000, fuelPerByte: 2 },
  /**
   * 1 where a hash (address of 32 bytes) and a signature of secp256k1 (address of 65 bytes) tell a public key, which is put at an
   * address (64 bytes), else 0.
   */
  "ipdm.secp256k1_recover": { signature: "(i32,i32,i32)->i32", fuel: 1_000_000, fuelPerByte: 0 },
  /** The batch's event time in microseconds since 1970, as in the descriptor. A call that has none is stopped. */
  "ipdm.time": { signature: "()->i64", capability: "time", fuel: 20, fuelPerByte: 0 },
};
