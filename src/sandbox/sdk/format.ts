// Layout of a batch block (docs/reference/batch.md).

export const MAGIC: u32 = 0x42445049;
export const VERSION: u32 = 1;
export const HEADER_BYTES: usize = 64;
export const DESCRIPTOR_BYTES: usize = 64;
export const FLAG_NULLABLE: u32 = 1;

/** Numbers of the column types. */
export namespace Type {
  export const BOOL: u32 = 1;
  export const I8: u32 = 2;
  export const I16: u32 = 3;
  export const I32: u32 = 4;
  export const I64: u32 = 5;
  export const U8: u32 = 6;
  export const U16: u32 = 7;
  export const U32: u32 = 8;
  export const U64: u32 = 9;
  export const F32: u32 = 10;
  export const F64: u32 = 11;
  export const TIMESTAMP: u32 = 12;
  export const UTF8: u32 = 13;
  export const DICT: u32 = 14;
  export const BINARY: u32 = 15;
  export const FIXED: u32 = 16;
}

/** Bytes of a value in a column's data; 0 for bits and for variable width. */
export function widthOf(type: u32, fixedWidth: u32): u32 {
  switch (type) {
    case Type.I8:
    case Type.U8:
      return 1;
    case Type.I16:
    case Type.U16:
      return 2;
    case Type.I32:
    case Type.U32:
    case Type.F32:
    case Type.DICT:
      return 4;
    case Type.I64:
    case Type.U64:
    case Type.F64:
    case Type.TIMESTAMP:
      return 8;
    case Type.FIXED:
      return fixedWidth;
    default:
      return 0;
  }
}
