import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

const FILE = "holder";

/** Says in the folder which process has it open. Only a note: LevelDB's lock is what keeps others out. */
export async function noteHolder(folder: string): Promise<void> {
  await writeFile(join(folder, FILE), `${process.pid}\n`);
}

/** Takes the note away. A process that is killed leaves it. */
export async function removeHolder(folder: string): Promise<void> {
  await rm(join(folder, FILE), { force: true });
}

/** The process that a folder's note names; `undefined` where there is none, or no such process. */
export async function holderOf(folder: string): Promise<number | undefined> {
  const pid = Number(await readFile(join(folder, FILE), "utf8").catch(() => ""));
  return Number.isSafeInteger(pid) && pid > 0 && isAlive(pid) ? pid : undefined;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as { code?: unknown }).code === "EPERM";
  }
}
