/** Functions of the host (docs/reference/abi.md) that other parts of the SDK call. */
export declare class Host {
  @external("ipdm", "setting")
  static setting(name: usize, nameBytes: usize, target: usize, most: usize): i32;

  @external("ipdm", "fail")
  static fail(code: usize, codeBytes: usize, message: usize, messageBytes: usize): void;
}
