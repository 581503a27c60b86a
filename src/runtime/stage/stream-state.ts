import { z } from "zod";
import { link, parseNode } from "../../consensus/ipld-schema.ts";

const schema = z.strictObject({
  v: z.literal(1),
  /** Which inputs have ended, in their order. */
  ended: z.array(z.boolean()).min(1).max(16),
  /** The states of the operators, by place. */
  savepoint: link,
});

/** State of a stream task between two slots. */
export type StreamState = z.infer<typeof schema>;

/** Reads a state, which may have come from another node. Throws `NODE_MALFORMED`. */
export function parseStreamState(value: unknown): StreamState {
  return parseNode(schema, "state of a stream task", value);
}
