import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { CID } from "multiformats/cid";
import { IpdmError } from "../core/errors.ts";
import { LevelStore } from "../journal/level-store.ts";
import type { Store } from "../journal/port.ts";
import { sha256 } from "../node.ts";

/** A run's data folder as an auditor finds it. */
export interface DataFolder {
  /** The store that holds blocks: that of the run's first node. Absent where there is none. */
  readonly store: Store | undefined;
  /** Why something cannot be had from it, as the end of a sentence. */
  readonly lacks: string;
}

/** Opens a run's data folder; that it is not there is no error until something of it is needed. Throws `DATA_DIR_IN_USE`. */
export async function openData(folder: string): Promise<DataFolder> {
  if (!(await isFolder(folder))) return { store: undefined, lacks: `there is no data folder ${folder}` };
  for (const name of (await readdir(folder)).sort()) {
    const path = join(folder, name, "store");
    if (await isFolder(path))
      return { store: await LevelStore.open({ path, hash: sha256 }), lacks: "not in the data folder" };
  }
  return { store: undefined, lacks: `${folder} is not the data folder of a run` };
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

/**
 * The error for a batch that is needed and nowhere to be had: `input` names the input whose rows it has (a table's rows are in data
 * folders alone), `flag` the option that gives the data folder.
 */
export function needsBatch(
  cid: CID,
  holds: string,
  data: DataFolder | undefined,
  { input, flag = "--data" }: { readonly input?: string; readonly flag?: string } = {},
): IpdmError {
  const text = cid.toString();
  const lacks = data?.lacks ?? "not in the data folder";
  const other = input === undefined ? "" : ` or --input ${input}=<place>`;
  return new IpdmError("NEEDS_DATA", `batch ${text} is needed, and ${lacks}: it holds ${holds}`, {
    kind: "unreachable",
    where: text,
    hint: `pass ${flag} <data folder of the run>${other}`,
    facts: { cid: text },
  });
}
