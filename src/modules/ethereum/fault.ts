// Errors of blocks, each with its place: block, text, byte, and the item of a list.
import { Message } from "../../sandbox/sdk/index";
import { Place } from "../json/place";

/** What the text is of that is being read. */
let part = "";

/** Says which block is being read. */
export function inBlock(number: u64): void {
  Place.what = "block";
  Place.at(number, 0, 0);
  part = "";
}

/** Says which text of the row is being read. */
export function inText(name: string, at: usize, length: usize): void {
  Place.at(Place.number, at, at + length);
  part = name;
}

/** Says which of its transactions, receipts or withdrawals is being read; -1: none any more. */
export function inItem(name: string, number: i32): void {
  Place.part = name;
  Place.partNumber = number;
}

/** The beginning of a message: block, and item where there is one. */
export function told(): Message {
  return Place.message();
}

/** Stops at a byte of the text that is no JSON, or ends too early. */
export function malformed(at: usize, expected: string): usize {
  if (at >= Place.end) told().text("the JSON of ").text(part).text(" is cut short, after ").number(Place.end - Place.start).text(" bytes").fail("ETH_JSON_MALFORMED");
  told()
    .text("the JSON of ")
    .text(part)
    .text(" has no ")
    .text(expected)
    .text(" at byte ")
    .number(at - Place.start)
    .text(", but ")
    .quote(at, min<usize>(24, Place.end - at))
    .fail("ETH_JSON_MALFORMED");
  return 0;
}

/** Stops at a value that is not of its field's form. */
export function misformed(at: usize, expected: string): usize {
  if (at >= Place.end || isOpen(at)) return malformed(Place.end, expected);
  told()
    .text(expected)
    .text(" was expected in ")
    .text(part)
    .text(" at byte ")
    .number(at - Place.start)
    .text(", and there is ")
    .quote(at, min<usize>(72, Place.end - at))
    .fail("ETH_FIELD_TYPE");
  return 0;
}

/** True for a string that does not end. */
function isOpen(at: usize): bool {
  if (load<u8>(at) != 0x22) return false;
  for (let p = at + 1; p < Place.end; p++) if (load<u8>(p) == 0x22) return false;
  return true;
}

/** Stops at a field that an object lacks. */
export function missing(field: string): void {
  told().text("field ").text(field).text(" is missing").fail("ETH_FIELD_MISSING");
}

/** Stops at a key that stands in its object a second time. */
export function duplicate(at: usize): void {
  let length: usize = 1;
  while (load<u8>(at + length) != 0x22) length++;
  told()
    .text("the key ")
    .quote(at, length + 1)
    .text(" stands twice in one object of ")
    .text(part)
    .text(", the second time at byte ")
    .number(at - Place.start)
    .fail("ETH_FIELD_DUPLICATE");
}
