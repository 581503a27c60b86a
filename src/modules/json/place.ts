import { Message } from "../../sandbox/sdk/index";

/**
 * Where in its input a module is, for the errors that it finds there. A module sets it as it goes; messages read
 * `<what> <number>, <part> <partNumber>: …`.
 */
export class Place {
  /** Code of an error about the text itself. */
  static malformed: string = "";
  /** What a row is, such as `block`, and which one. */
  static what: string = "row";
  static number: u64 = 0;
  /** What of the row is being read, such as `transaction`, and which one; -1 where it is the row itself. */
  static part: string = "";
  static partNumber: i32 = -1;
  /** Where the row's text begins and ends. */
  static start: usize = 0;
  static end: usize = 0;

  /** Goes to a row and its text. */
  static at(number: u64, start: usize, end: usize): void {
    Place.number = number;
    Place.start = start;
    Place.end = end;
    Place.partNumber = -1;
  }

  /** The beginning of a message about this place. */
  static message(): Message {
    const message = Message.of(Place.what).text(" ").number(Place.number);
    if (Place.partNumber >= 0) message.text(", ").text(Place.part).text(" ").number(<u64>Place.partNumber);
    return message.text(": ");
  }
}

/** Stops the call: the text is not what it has to be at an address. */
export function malformed(at: usize, what: string): void {
  Place.message()
    .text(what)
    .text(" at byte ")
    .number(<u64>(at - Place.start))
    .fail(Place.malformed);
}
