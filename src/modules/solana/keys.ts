// Made from the list of keys: the multiplier gives each key a place of its own among 256, also those that stand beside them.

/** Numbers of the JSON keys that are read; 0 is any other. */
export namespace Key {
  export const BLOCKHASH: u32 = 1;
  export const PREVIOUS_BLOCKHASH: u32 = 2;
  export const PARENT_SLOT: u32 = 3;
  export const BLOCK_TIME: u32 = 4;
  export const BLOCK_HEIGHT: u32 = 5;
  export const TRANSACTIONS: u32 = 6;
  export const TRANSACTION: u32 = 7;
  export const META: u32 = 8;
  export const VERSION: u32 = 9;
  export const SIGNATURES: u32 = 10;
  export const MESSAGE: u32 = 11;
  export const ACCOUNT_KEYS: u32 = 12;
  export const INSTRUCTIONS: u32 = 13;
  export const RECENT_BLOCKHASH: u32 = 14;
  export const HEADER: u32 = 15;
  export const ADDRESS_TABLE_LOOKUPS: u32 = 16;
  export const NUM_REQUIRED_SIGNATURES: u32 = 17;
  export const NUM_READONLY_SIGNED_ACCOUNTS: u32 = 18;
  export const NUM_READONLY_UNSIGNED_ACCOUNTS: u32 = 19;
  export const ERR: u32 = 20;
  export const FEE: u32 = 21;
  export const COMPUTE_UNITS_CONSUMED: u32 = 22;
  export const INNER_INSTRUCTIONS: u32 = 23;
  export const PRE_BALANCES: u32 = 24;
  export const POST_BALANCES: u32 = 25;
  export const PRE_TOKEN_BALANCES: u32 = 26;
  export const POST_TOKEN_BALANCES: u32 = 27;
  export const LOADED_ADDRESSES: u32 = 28;
  export const WRITABLE: u32 = 29;
  export const READONLY: u32 = 30;
  export const ACCOUNT_KEY: u32 = 31;
  export const WRITABLE_INDEXES: u32 = 32;
  export const READONLY_INDEXES: u32 = 33;
  export const INDEX: u32 = 34;
  export const PROGRAM_ID_INDEX: u32 = 35;
  export const ACCOUNTS: u32 = 36;
  export const DATA: u32 = 37;
  export const STACK_HEIGHT: u32 = 38;
  export const ACCOUNT_INDEX: u32 = 39;
  export const MINT: u32 = 40;
  export const OWNER: u32 = 41;
  export const UI_TOKEN_AMOUNT: u32 = 42;
  export const DECIMALS: u32 = 43;
}

/** Multiplier of the hash of a key. */
export const KEY_MULTIPLIER: u64 = 0xdf82012d0555c6df;

/** Number of the key at each hash. */
export const KEY_SLOTS = memory.data<u8>([
  1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 13, 0, 0,
  0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 17, 0, 0, 0, 27, 0, 0, 33, 0, 0,
  31, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 30, 0, 42, 0, 0, 0, 0, 0, 0, 0, 43, 0, 0, 19, 0, 14, 0,
  0, 0, 0, 0, 29, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 10, 0, 0, 20, 0, 0, 0, 0, 0, 0, 0,
  0, 0, 36, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 8, 0, 6, 0, 0, 0, 0, 11, 0, 0, 0, 24, 0, 32, 0, 18, 0, 41,
  0, 0, 0, 0, 0, 0, 0, 0, 0, 15, 37, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 38, 0, 0, 0, 0, 0, 0, 0, 0, 0,
  0, 0, 2, 0, 0, 4, 0, 0, 0, 0, 0, 0, 26, 23, 0, 0, 22, 0, 12, 28, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5, 0,
  34, 0, 0, 39, 0, 0, 40, 0, 0, 0, 0, 0, 0, 35, 0, 21, 0, 0, 0, 0, 0, 0, 0, 16, 25, 0, 0, 0, 0, 0, 0, 0,
]);

/** The text of each key, and zeros up to 32 bytes. */
export const KEY_TEXTS = memory.data<u64>([
  0, 0, 0, 0,
  0x7361686b636f6c62, 0x68, 0x0, 0x0, // blockhash
  0x73756f6976657270, 0x7361686b636f6c42, 0x68, 0x0, // previousBlockhash
  0x6c53746e65726170, 0x746f, 0x0, 0x0, // parentSlot
  0x6d69546b636f6c62, 0x65, 0x0, 0x0, // blockTime
  0x6965486b636f6c62, 0x746867, 0x0, 0x0, // blockHeight
  0x746361736e617274, 0x736e6f69, 0x0, 0x0, // transactions
  0x746361736e617274, 0x6e6f69, 0x0, 0x0, // transaction
  0x6174656d, 0x0, 0x0, 0x0, // meta
  0x6e6f6973726576, 0x0, 0x0, 0x0, // version
  0x727574616e676973, 0x7365, 0x0, 0x0, // signatures
  0x6567617373656d, 0x0, 0x0, 0x0, // message
  0x4b746e756f636361, 0x737965, 0x0, 0x0, // accountKeys
  0x7463757274736e69, 0x736e6f69, 0x0, 0x0, // instructions
  0x6c42746e65636572, 0x687361686b636f, 0x0, 0x0, // recentBlockhash
  0x726564616568, 0x0, 0x0, 0x0, // header
  0x5473736572646461, 0x6b6f6f4c656c6261, 0x737075, 0x0, // addressTableLookups
  0x69757165526d756e, 0x616e676953646572, 0x7365727574, 0x0, // numRequiredSignatures
  0x6f646165526d756e, 0x656e676953796c6e, 0x746e756f63634164, 0x73, // numReadonlySignedAccounts
  0x6f646165526d756e, 0x6769736e55796c6e, 0x756f63634164656e, 0x73746e, // numReadonlyUnsignedAccounts
  0x727265, 0x0, 0x0, 0x0, // err
  0x656566, 0x0, 0x0, 0x0, // fee
  0x55657475706d6f63, 0x736e6f437374696e, 0x64656d75, 0x0, // computeUnitsConsumed
  0x736e4972656e6e69, 0x6e6f697463757274, 0x73, 0x0, // innerInstructions
  0x6e616c6142657270, 0x736563, 0x0, 0x0, // preBalances
  0x616c614274736f70, 0x7365636e, 0x0, 0x0, // postBalances
  0x6e656b6f54657270, 0x7365636e616c6142, 0x0, 0x0, // preTokenBalances
  0x656b6f5474736f70, 0x65636e616c61426e, 0x73, 0x0, // postTokenBalances
  0x6441646564616f6c, 0x73657373657264, 0x0, 0x0, // loadedAddresses
  0x656c626174697277, 0x0, 0x0, 0x0, // writable
  0x796c6e6f64616572, 0x0, 0x0, 0x0, // readonly
  0x4b746e756f636361, 0x7965, 0x0, 0x0, // accountKey
  0x656c626174697277, 0x73657865646e49, 0x0, 0x0, // writableIndexes
  0x796c6e6f64616572, 0x73657865646e49, 0x0, 0x0, // readonlyIndexes
  0x7865646e69, 0x0, 0x0, 0x0, // index
  0x496d6172676f7270, 0x7865646e4964, 0x0, 0x0, // programIdIndex
  0x73746e756f636361, 0x0, 0x0, 0x0, // accounts
  0x61746164, 0x0, 0x0, 0x0, // data
  0x6965486b63617473, 0x746867, 0x0, 0x0, // stackHeight
  0x49746e756f636361, 0x7865646e, 0x0, 0x0, // accountIndex
  0x746e696d, 0x0, 0x0, 0x0, // mint
  0x72656e776f, 0x0, 0x0, 0x0, // owner
  0x416e656b6f546975, 0x746e756f6d, 0x0, 0x0, // uiTokenAmount
  0x736c616d69636564, 0x0, 0x0, 0x0, // decimals
]);
