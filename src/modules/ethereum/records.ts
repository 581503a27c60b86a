import { allocate } from "../../sandbox/sdk/index";

// Records of a list by their index: they are linked, and tries ask for them in another order.
let items: usize = 0;
let transactions: usize = 0;
let room: i32 = 0;

/** Lists records, the first of which stands at `first`, for {@link recordAt}. */
export function listRecords(first: usize, count: i32): void {
  if (count > room) {
    room = max(count, 2 * room);
    items = allocate((<usize>room) << 3);
    transactions = items + ((<usize>room) << 2);
  }
  let at = items;
  for (let record = first; record != 0; record = <usize>load<u32>(record)) {
    store<u32>(at, <u32>record);
    at += 4;
  }
}

/** Lists as many receipts; what was listed before are the transactions that {@link transactionAt} gives. */
export function listReceipts(first: usize, count: i32): void {
  memory.copy(transactions, items, (<usize>count) << 2);
  listRecords(first, count);
}

/** A record of the list. */
@inline
export function recordAt(index: i32): usize {
  return <usize>load<u32>(items + ((<usize>index) << 2));
}

/** The transaction of a receipt. */
@inline
export function transactionAt(index: i32): usize {
  return <usize>load<u32>(transactions + ((<usize>index) << 2));
}
