import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { corrupt } from "./errors.ts";
import { readManifest } from "./level-manifest.ts";
import { tableProblem } from "./level-table.ts";
import { TABLE_BYTES_CHECKED } from "./limits.ts";

/**
 * Looks at the files of a LevelDB before it is opened, since LevelDB deletes what a damaged manifest does not name, and may abort the process
 * over a damaged table. Its newest tables are read whole, up to `bytesMax`; gives the others, for {@link checkTable}. Logs are
 * not looked at: the commits in them show what is missing. Throws `JOURNAL_CORRUPT` naming the file. Safe while another process writes.
 */
export async function checkLevelFiles(index: string, bytesMax = TABLE_BYTES_CHECKED): Promise<readonly string[]> {
  const name = await manifestName(index);
  if (name === undefined) return [];
  const listed = await readOrAbsent(join(index, name));
  if (listed === undefined) {
    // Whoever has it open may have begun another one meanwhile.
    if ((await manifestName(index)) !== name) return await checkLevelFiles(index, bytesMax);
    throw damaged("CURRENT", `it names ${name}, which is not there`);
  }
  const manifest = readManifest(listed);
  if (manifest.problem !== undefined) throw damaged(name, manifest.problem);
  const left: string[] = [];
  let bytes = 0;
  for (const number of manifest.tables) {
    const table = `${String(number).padStart(6, "0")}.ldb`;
    bytes += await stat(join(index, table)).then(
      ({ size }) => size,
      () => 0,
    );
    if (bytes > bytesMax) left.push(table);
    else await checkTable(index, table);
  }
  return left;
}

/** Reads one table whole. Throws `JOURNAL_CORRUPT` naming it. One that is not there (any more) is LevelDB's to tell. */
export async function checkTable(index: string, table: string): Promise<void> {
  const bytes = await readOrAbsent(join(index, table));
  const problem = bytes === undefined ? undefined : tableProblem(bytes);
  if (problem !== undefined) throw damaged(table, problem);
}

/** The manifest that is in force; `undefined` where there is no LevelDB yet. */
async function manifestName(index: string): Promise<string | undefined> {
  const current = await readOrAbsent(join(index, "CURRENT"));
  if (current !== undefined) {
    const name = /^(MANIFEST-\d+)\n$/.exec(new TextDecoder("latin1").decode(current))?.[1];
    if (name !== undefined) return name;
    throw damaged("CURRENT", "it names no manifest");
  }
  const names = await readdir(index).catch(() => []);
  if (names.some((each) => each.startsWith("MANIFEST-"))) throw damaged("CURRENT", "it is missing");
  return undefined;
}

async function readOrAbsent(path: string): Promise<Uint8Array | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if ((error as { code?: unknown }).code === "ENOENT") return undefined;
    throw error;
  }
}

function damaged(file: string, what: string): Error {
  return corrupt(`index/${file}: ${what}`, { file: `index/${file}` });
}
