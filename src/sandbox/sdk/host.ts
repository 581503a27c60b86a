/** Functions of the host (docs/reference/abi.md) that other parts of the SDK call. */
export declare class Host {
  @external("ipdm", "setting")
  static setting(name: usize, nameBytes: usize, target: usize, most: usize): i32;

  @external("ipdm", "log")
  static log(text: usize, bytes: usize): void;

  @external("ipdm", "fail")
  static fail(code: usize, codeBytes: usize, message: usize, messageBytes: usize): void;

  @external("ipdm", "ed25519_verify")
  static ed25519Verify(publicKey: usize, message: usize, messageBytes: usize, signature: usize): i32;

  @external("ipdm", "secp256k1_recover")
  static secp256k1Recover(hash: usize, signature: usize, target: usize): i32;
}
