import { readJson } from "../../core/json.ts";
import { jsonBlock } from "../../dag/block.ts";
import { sha256 } from "../../node.ts";

/** IPLD data as people and other tools read it: dag-json's plain JSON, links as `{"/": cid}`, bytes as `{"/": {"bytes": …}}`. */
export function readable(value: unknown): unknown {
  return readJson(new TextDecoder().decode(jsonBlock(sha256, value).bytes));
}
