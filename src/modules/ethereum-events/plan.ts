// What to decode, as the planner has written it (docs/reference/ethereum.md): the texts `plan.0`, `plan.1`, … joined, one thing a line,
// its words apart by one space.
//   a <name>                               the column of the emitting address
//   t <type>                               type of the column `timestamp`: that of u64 or of timestamp
//   c <type> <width> <nullable> <name>     a column of a parameter
//   e <topic or -> <topics> <name>         an event: hash of its signature, or - where it is anonymous; how many topics its logs have
//   p <column> <indexed> <expanded> <type> a parameter of the event before
//   w <column or a> <word>                 a value that is let through: 32 bytes as the ABI has them
import { allocate, Message, Setting } from "../../sandbox/sdk/index";

const PIECES_MAX: usize = 48;

/** An event: where its parts lie in the record. */
export namespace Event {
  export const NEXT: usize = 0;
  export const TOPIC: usize = 4;
  export const TOPICS: usize = 8;
  export const NAME: usize = 12;
  export const NAME_BYTES: usize = 16;
  export const FIRST_PARAMETER: usize = 20;
  export const BYTES: usize = 24;
}

/** A parameter of an event. */
export namespace Parameter {
  export const NEXT: usize = 0;
  export const COLUMN: usize = 4;
  export const INDEXED: usize = 8;
  export const EXPANDED: usize = 12;
  export const TYPE: usize = 16;
  /** Which topic, or where in the head of the data. */
  export const PLACE: usize = 20;
  export const BYTES: usize = 24;
}

/** A column of a parameter. */
export namespace Column {
  export const NEXT: usize = 0;
  export const TYPE: usize = 4;
  export const WIDTH: usize = 8;
  export const NULLABLE: usize = 12;
  export const NAME: usize = 16;
  export const NAME_BYTES: usize = 20;
  export const BYTES: usize = 24;
}

/** A value that is let through. */
export namespace Allowed {
  export const NEXT: usize = 0;
  export const COLUMN: usize = 4;
  export const WORD: usize = 8;
  export const BYTES: usize = 40;
}

/** Stands for the emitting address where a column is named. */
export const ADDRESS_COLUMN: i32 = -1;

export let firstEvent: usize = 0;
export let firstColumn: usize = 0;
export let columnCount: i32 = 0;
export let firstAllowed: usize = 0;
export let addressName: usize = 0;
export let addressNameBytes: usize = 0;
export let timeType: u32 = 0;

let at: usize = 0;
let end: usize = 0;

/** Reads the plan from the module's settings. */
export function openPlan(): void {
  join();
  let event: usize = 0;
  let eventLink: usize = 0;
  let parameterLink: usize = 0;
  let columnLink: usize = 0;
  let allowedLink: usize = 0;
  let topic: usize = 0;
  while (at < end) {
    const kind = load<u8>(at);
    at += 2;
    switch (kind) {
      case 0x61: // a
        addressName = at;
        addressNameBytes = rest();
        break;
      case 0x74: // t
        timeType = number();
        break;
      case 0x63: {
        // c
        const column = allocate(Column.BYTES);
        if (columnLink == 0) firstColumn = column;
        else store<u32>(columnLink, <u32>column);
        columnLink = column;
        columnCount++;
        store<u32>(column, number(), Column.TYPE);
        store<u32>(column, number(), Column.WIDTH);
        store<u32>(column, number(), Column.NULLABLE);
        store<u32>(column, <u32>at, Column.NAME);
        store<u32>(column, <u32>rest(), Column.NAME_BYTES);
        break;
      }
      case 0x65: {
        // e
        event = allocate(Event.BYTES);
        if (eventLink == 0) firstEvent = event;
        else store<u32>(eventLink, <u32>event);
        eventLink = event;
        parameterLink = 0;
        topic = 1;
        if (load<u8>(at) == 0x2d) {
          at += 2;
          topic = 0;
        } else store<u32>(event, <u32>word(), Event.TOPIC);
        store<u32>(event, number(), Event.TOPICS);
        store<u32>(event, <u32>at, Event.NAME);
        store<u32>(event, <u32>rest(), Event.NAME_BYTES);
        break;
      }
      case 0x70: {
        // p
        const parameter = allocate(Parameter.BYTES);
        store<u32>(parameterLink == 0 ? event + Event.FIRST_PARAMETER : parameterLink, <u32>parameter);
        parameterLink = parameter;
        store<u32>(parameter, number(), Parameter.COLUMN);
        store<u32>(parameter, number(), Parameter.INDEXED);
        store<u32>(parameter, number(), Parameter.EXPANDED);
        store<u32>(parameter, <u32>at, Parameter.TYPE);
        rest();
        if (load<u32>(parameter, Parameter.INDEXED) != 0) {
          store<u32>(parameter, <u32>topic, Parameter.PLACE);
          topic++;
        }
        break;
      }
      case 0x77: {
        // w
        const allowed = allocate(Allowed.BYTES);
        if (allowedLink == 0) firstAllowed = allowed;
        else store<u32>(allowedLink, <u32>allowed);
        allowedLink = allowed;
        if (load<u8>(at) == 0x61) {
          at += 2;
          store<i32>(allowed, ADDRESS_COLUMN, Allowed.COLUMN);
        } else store<u32>(allowed, number(), Allowed.COLUMN);
        memory.copy(allowed + Allowed.WORD, word(), 32);
        break;
      }
      default:
        Message.of("setting plan has an unknown line").fail("ETH_SETTING_INVALID");
    }
  }
  if (firstEvent == 0 || addressName == 0) Message.of("setting plan names no event").fail("ETH_SETTING_INVALID");
}

/** Joins the pieces of the plan, with an end of line behind them. */
function join(): void {
  const pieces = allocate(PIECES_MAX << 2);
  let count: usize = 0;
  let length: usize = 0;
  const name = allocate(64);
  for (; count < PIECES_MAX; count++) {
    store<u32>(name, 0x6e616c70); // plan
    store<u8>(name, 0x2e, 4);
    const digits: usize = count < 10 ? 1 : 2;
    if (digits == 2) store<u8>(name, <u8>(0x30 + count / 10), 5);
    store<u8>(name + 4 + digits, <u8>(0x30 + (count % 10)));
    const piece = Setting.named(name, 5 + digits);
    if (!piece.exists) break;
    store<u32>(pieces + (count << 2), <u32>changetype<usize>(piece));
    length += piece.length;
  }
  at = allocate(length + 1);
  end = at;
  for (let i: usize = 0; i < count; i++) {
    const piece = changetype<Setting>(<usize>load<u32>(pieces + (i << 2)));
    memory.copy(end, piece.at, piece.length);
    end += piece.length;
  }
  store<u8>(end, 0x0a);
}

/** A decimal number and the space or end of line behind it. */
function number(): u32 {
  let value: u32 = 0;
  while (load<u8>(at) > 0x20) {
    value = value * 10 + (load<u8>(at) - 0x30);
    at++;
  }
  at++;
  return value;
}

/** 32 bytes in hexadecimal digits and what is behind them. */
function word(): usize {
  const bytes = allocate(32);
  for (let i: usize = 0; i < 32; i++) {
    store<u8>(bytes + i, (digit(load<u8>(at)) << 4) | digit(load<u8>(at, 1)));
    at += 2;
  }
  at++;
  return bytes;
}

function digit(byte: u8): u8 {
  return byte > 0x39 ? byte - 0x57 : byte - 0x30;
}

/** Length of the rest of the line, which is passed over. */
function rest(): usize {
  const from = at;
  while (load<u8>(at) != 0x0a) at++;
  at++;
  return at - 1 - from;
}
