// Made from the list of keys: the multiplier gives each key a place of its own among 256, also those that clients give beside them.

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

/** Of each key: length, first eight bytes, last eight, those from the ninth on; zero where it is too short for them. */
export const KEY_TEXTS = memory.data<u64>([
  0, 0, 0, 0,
  10, 0x6148746e65726170, 0x68736148746e6572, 0x0, // parentHash
  10, 0x6c636e5533616873, 0x73656c636e553361, 0x0, // sha3Uncles
  5, 0x72656e696d, 0x0, 0x0, // miner
  9, 0x6f6f526574617473, 0x746f6f5265746174, 0x0, // stateRoot
  16, 0x746361736e617274, 0x746f6f52736e6f69, 0x0, // transactionsRoot
  12, 0x7374706965636572, 0x746f6f5273747069, 0x0, // receiptsRoot
  9, 0x6f6f6c4273676f6c, 0x6d6f6f6c4273676f, 0x0, // logsBloom
  10, 0x6c75636966666964, 0x79746c7563696666, 0x0, // difficulty
  6, 0x7265626d756e, 0x0, 0x0, // number
  8, 0x74696d694c736167, 0x0, 0x0, // gasLimit
  7, 0x64657355736167, 0x0, 0x0, // gasUsed
  9, 0x6d617473656d6974, 0x706d617473656d69, 0x0, // timestamp
  9, 0x7461446172747865, 0x6174614461727478, 0x0, // extraData
  7, 0x6873614878696d, 0x0, 0x0, // mixHash
  5, 0x65636e6f6e, 0x0, 0x0, // nonce
  4, 0x68736168, 0x0, 0x0, // hash
  13, 0x5065654665736162, 0x7361477265506565, 0x0, // baseFeePerGas
  15, 0x7761726468746977, 0x746f6f52736c6177, 0x0, // withdrawalsRoot
  11, 0x55736147626f6c62, 0x6465735573614762, 0x0, // blobGasUsed
  13, 0x6c42737365637865, 0x736147626f6c4273, 0x0, // excessBlobGas
  21, 0x6542746e65726170, 0x746f6f526b636f6c, 0x636f6c426e6f6361, // parentBeaconBlockRoot
  12, 0x7374736575716572, 0x6873614873747365, 0x0, // requestsHash
  12, 0x746361736e617274, 0x736e6f6974636173, 0x0, // transactions
  11, 0x7761726468746977, 0x736c617761726468, 0x0, // withdrawals
  4, 0x65707974, 0x0, 0x0, // type
  4, 0x6d6f7266, 0x0, 0x0, // from
  2, 0x6f74, 0x0, 0x0, // to
  3, 0x736167, 0x0, 0x0, // gas
  8, 0x6563697250736167, 0x0, 0x0, // gasPrice
  5, 0x65756c6176, 0x0, 0x0, // value
  5, 0x7475706e69, 0x0, 0x0, // input
  1, 0x76, 0x0, 0x0, // v
  1, 0x72, 0x0, 0x0, // r
  1, 0x73, 0x0, 0x0, // s
  7, 0x79746972615079, 0x0, 0x0, // yParity
  7, 0x64496e69616863, 0x0, 0x0, // chainId
  10, 0x694c737365636361, 0x7473694c73736563, 0x0, // accessList
  12, 0x655065654678616d, 0x7361477265506565, 0x0, // maxFeePerGas
  20, 0x726f69725078616d, 0x7361477265506565, 0x6550656546797469, // maxPriorityFeePerGas
  16, 0x655065654678616d, 0x736147626f6c4272, 0x0, // maxFeePerBlobGas
  19, 0x73726556626f6c62, 0x7365687361486465, 0x73614864656e6f69, // blobVersionedHashes
  17, 0x7a69726f68747561, 0x7473694c6e6f6974, 0x73694c6e6f697461, // authorizationList
  7, 0x73736572646461, 0x0, 0x0, // address
  11, 0x4b656761726f7473, 0x7379654b65676172, 0x0, // storageKeys
  5, 0x7865646e69, 0x0, 0x0, // index
  14, 0x6f746164696c6176, 0x7865646e49726f74, 0x0, // validatorIndex
  6, 0x746e756f6d61, 0x0, 0x0, // amount
  6, 0x737574617473, 0x0, 0x0, // status
  4, 0x746f6f72, 0x0, 0x0, // root
  17, 0x6974616c756d7563, 0x6465735573614765, 0x6573557361476576, // cumulativeGasUsed
  4, 0x73676f6c, 0x0, 0x0, // logs
  15, 0x746361736e617274, 0x687361486e6f6974, 0x0, // transactionHash
  6, 0x736369706f74, 0x0, 0x0, // topics
  4, 0x61746164, 0x0, 0x0, // data
  8, 0x7865646e49676f6c, 0x0, 0x0, // logIndex
  16, 0x746361736e617274, 0x7865646e496e6f69, 0x0, // transactionIndex
]);
