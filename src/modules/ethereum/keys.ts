// Made from the list of keys: the multiplier gives each key a place of its own among 256, also those that stand beside them.

/** Numbers of the JSON keys that are read; 0 is any other. */
export namespace Key {
  export const PARENT_HASH: u32 = 1;
  export const SHA3_UNCLES: u32 = 2;
  export const MINER: u32 = 3;
  export const STATE_ROOT: u32 = 4;
  export const TRANSACTIONS_ROOT: u32 = 5;
  export const RECEIPTS_ROOT: u32 = 6;
  export const LOGS_BLOOM: u32 = 7;
  export const DIFFICULTY: u32 = 8;
  export const NUMBER: u32 = 9;
  export const GAS_LIMIT: u32 = 10;
  export const GAS_USED: u32 = 11;
  export const TIMESTAMP: u32 = 12;
  export const EXTRA_DATA: u32 = 13;
  export const MIX_HASH: u32 = 14;
  export const NONCE: u32 = 15;
  export const HASH: u32 = 16;
  export const BASE_FEE_PER_GAS: u32 = 17;
  export const WITHDRAWALS_ROOT: u32 = 18;
  export const BLOB_GAS_USED: u32 = 19;
  export const EXCESS_BLOB_GAS: u32 = 20;
  export const PARENT_BEACON_BLOCK_ROOT: u32 = 21;
  export const REQUESTS_HASH: u32 = 22;
  export const TRANSACTIONS: u32 = 23;
  export const WITHDRAWALS: u32 = 24;
  export const TYPE: u32 = 25;
  export const FROM: u32 = 26;
  export const TO: u32 = 27;
  export const GAS: u32 = 28;
  export const GAS_PRICE: u32 = 29;
  export const VALUE: u32 = 30;
  export const INPUT: u32 = 31;
  export const V: u32 = 32;
  export const R: u32 = 33;
  export const S: u32 = 34;
  export const Y_PARITY: u32 = 35;
  export const CHAIN_ID: u32 = 36;
  export const ACCESS_LIST: u32 = 37;
  export const MAX_FEE_PER_GAS: u32 = 38;
  export const MAX_PRIORITY_FEE_PER_GAS: u32 = 39;
  export const MAX_FEE_PER_BLOB_GAS: u32 = 40;
  export const BLOB_VERSIONED_HASHES: u32 = 41;
  export const AUTHORIZATION_LIST: u32 = 42;
  export const ADDRESS: u32 = 43;
  export const STORAGE_KEYS: u32 = 44;
  export const INDEX: u32 = 45;
  export const VALIDATOR_INDEX: u32 = 46;
  export const AMOUNT: u32 = 47;
  export const STATUS: u32 = 48;
  export const ROOT: u32 = 49;
  export const CUMULATIVE_GAS_USED: u32 = 50;
  export const LOGS: u32 = 51;
  export const TRANSACTION_HASH: u32 = 52;
  export const TOPICS: u32 = 53;
  export const DATA: u32 = 54;
  export const LOG_INDEX: u32 = 55;
  export const TRANSACTION_INDEX: u32 = 56;
}

/** Multiplier of the hash of a key. */
export const KEY_MULTIPLIER: u64 = 0x234de79858ee01cf;

/** Number of the key at each hash. */
export const KEY_SLOTS = memory.data<u8>([
  0, 20, 0, 0, 0, 0, 0, 12, 0, 0, 0, 0, 15, 27, 0, 29, 0, 7, 0, 0, 23, 22, 0, 0, 5, 0, 0, 0, 0, 0, 0, 55,
  0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 56, 0, 0, 0, 0,
  0, 0, 0, 0, 0, 0, 24, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 42, 0, 14, 0, 0, 46, 16, 28, 0, 0, 18, 40, 0, 0, 50,
  0, 0, 0, 0, 0, 37, 0, 0, 0, 32, 0, 6, 54, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0, 36, 0, 0, 47, 0, 0, 26, 35, 0,
  49, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 39, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 38, 0, 0, 0, 0, 31, 53, 43,
  45, 52, 0, 0, 0, 44, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 25, 0, 0, 0, 0, 0, 34, 0, 0, 0, 0, 51, 0, 0,
  0, 0, 0, 0, 0, 0, 0, 0, 48, 0, 19, 30, 0, 41, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 33, 0, 0, 0, 0,
  0, 0, 0, 21, 0, 0, 0, 0, 0, 0, 0, 0, 17, 0, 0, 11, 0, 1, 0, 9, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 13,
]);

/** The text of each key, and zeros up to 32 bytes. */
export const KEY_TEXTS = memory.data<u64>([
  0, 0, 0, 0,
  0x6148746e65726170, 0x6873, 0x0, 0x0, // parentHash
  0x6c636e5533616873, 0x7365, 0x0, 0x0, // sha3Uncles
  0x72656e696d, 0x0, 0x0, 0x0, // miner
  0x6f6f526574617473, 0x74, 0x0, 0x0, // stateRoot
  0x746361736e617274, 0x746f6f52736e6f69, 0x0, 0x0, // transactionsRoot
  0x7374706965636572, 0x746f6f52, 0x0, 0x0, // receiptsRoot
  0x6f6f6c4273676f6c, 0x6d, 0x0, 0x0, // logsBloom
  0x6c75636966666964, 0x7974, 0x0, 0x0, // difficulty
  0x7265626d756e, 0x0, 0x0, 0x0, // number
  0x74696d694c736167, 0x0, 0x0, 0x0, // gasLimit
  0x64657355736167, 0x0, 0x0, 0x0, // gasUsed
  0x6d617473656d6974, 0x70, 0x0, 0x0, // timestamp
  0x7461446172747865, 0x61, 0x0, 0x0, // extraData
  0x6873614878696d, 0x0, 0x0, 0x0, // mixHash
  0x65636e6f6e, 0x0, 0x0, 0x0, // nonce
  0x68736168, 0x0, 0x0, 0x0, // hash
  0x5065654665736162, 0x7361477265, 0x0, 0x0, // baseFeePerGas
  0x7761726468746977, 0x746f6f52736c61, 0x0, 0x0, // withdrawalsRoot
  0x55736147626f6c62, 0x646573, 0x0, 0x0, // blobGasUsed
  0x6c42737365637865, 0x736147626f, 0x0, 0x0, // excessBlobGas
  0x6542746e65726170, 0x636f6c426e6f6361, 0x746f6f526b, 0x0, // parentBeaconBlockRoot
  0x7374736575716572, 0x68736148, 0x0, 0x0, // requestsHash
  0x746361736e617274, 0x736e6f69, 0x0, 0x0, // transactions
  0x7761726468746977, 0x736c61, 0x0, 0x0, // withdrawals
  0x65707974, 0x0, 0x0, 0x0, // type
  0x6d6f7266, 0x0, 0x0, 0x0, // from
  0x6f74, 0x0, 0x0, 0x0, // to
  0x736167, 0x0, 0x0, 0x0, // gas
  0x6563697250736167, 0x0, 0x0, 0x0, // gasPrice
  0x65756c6176, 0x0, 0x0, 0x0, // value
  0x7475706e69, 0x0, 0x0, 0x0, // input
  0x76, 0x0, 0x0, 0x0, // v
  0x72, 0x0, 0x0, 0x0, // r
  0x73, 0x0, 0x0, 0x0, // s
  0x79746972615079, 0x0, 0x0, 0x0, // yParity
  0x64496e69616863, 0x0, 0x0, 0x0, // chainId
  0x694c737365636361, 0x7473, 0x0, 0x0, // accessList
  0x655065654678616d, 0x73614772, 0x0, 0x0, // maxFeePerGas
  0x726f69725078616d, 0x6550656546797469, 0x73614772, 0x0, // maxPriorityFeePerGas
  0x655065654678616d, 0x736147626f6c4272, 0x0, 0x0, // maxFeePerBlobGas
  0x73726556626f6c62, 0x73614864656e6f69, 0x736568, 0x0, // blobVersionedHashes
  0x7a69726f68747561, 0x73694c6e6f697461, 0x74, 0x0, // authorizationList
  0x73736572646461, 0x0, 0x0, 0x0, // address
  0x4b656761726f7473, 0x737965, 0x0, 0x0, // storageKeys
  0x7865646e69, 0x0, 0x0, 0x0, // index
  0x6f746164696c6176, 0x7865646e4972, 0x0, 0x0, // validatorIndex
  0x746e756f6d61, 0x0, 0x0, 0x0, // amount
  0x737574617473, 0x0, 0x0, 0x0, // status
  0x746f6f72, 0x0, 0x0, 0x0, // root
  0x6974616c756d7563, 0x6573557361476576, 0x64, 0x0, // cumulativeGasUsed
  0x73676f6c, 0x0, 0x0, 0x0, // logs
  0x746361736e617274, 0x687361486e6f69, 0x0, 0x0, // transactionHash
  0x736369706f74, 0x0, 0x0, 0x0, // topics
  0x61746164, 0x0, 0x0, 0x0, // data
  0x7865646e49676f6c, 0x0, 0x0, 0x0, // logIndex
  0x746361736e617274, 0x7865646e496e6f69, 0x0, 0x0, // transactionIndex
]);
