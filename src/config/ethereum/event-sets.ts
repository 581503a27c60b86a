import { type AbiEvent, parseEvent } from "./event-signature.ts";

/** Events that are decoded together, and how their table shows them. */
export interface EventSet {
  readonly events: readonly AbiEvent[];
  /** Name of the column of the address that emitted an event. */
  readonly address: string;
  /** Columns of lists whose items become rows, by the lists' names. */
  readonly expanded: Readonly<Record<string, string>>;
}

/** The standards that are there by name: ERC-20, ERC-721 and ERC-1155, each with its transfers. */
export const EVENT_SETS: Readonly<Record<string, EventSet>> = {
  // A Transfer with three topics; with four it is one of ERC-721.
  erc20: {
    events: [parseEvent("Transfer(address indexed from, address indexed to, uint256 value)")],
    address: "token",
    expanded: {},
  },
  erc721: {
    events: [parseEvent("Transfer(address indexed from, address indexed to, uint256 indexed tokenId)")],
    address: "token",
    expanded: {},
  },
  erc1155: {
    events: [
      parseEvent(
        "TransferSingle(address indexed operator, address indexed from, address indexed to, uint256 id, uint256 value)",
      ),
      parseEvent(
        "TransferBatch(address indexed operator, address indexed from, address indexed to, uint256[] ids, uint256[] values)",
      ),
    ],
    address: "token",
    expanded: { ids: "id", values: "value" },
  },
};
