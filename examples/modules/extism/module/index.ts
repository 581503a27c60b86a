// A plugin of Extism: `hot` is called for each row, which is its input as a JSON object. What it gives back goes on; nothing, and the row
// is gone. The threshold is a text of the configuration.
import { Config, Host } from "@extism/as-pdk";

// What AssemblyScript calls to stop (--use abort=module/index/stop): the call traps.
function stop(message: string | null, file: string | null, line: u32, column: u32): void {
  unreachable();
}

const NAME = '"millicelsius":';

export function hot(): i32 {
  const threshold = Config.get("threshold");
  const row = Host.inputString();
  // Quotes inside of a text are written as \", so what is found is a name.
  const at = row.indexOf(NAME);
  if (at < 0 || threshold == null) return 1;
  const value = row.substring(at + NAME.length);
  if (!value.startsWith("null") && <i32>parseInt(value) >= <i32>parseInt(threshold)) Host.outputString(row);
  return 0;
}
