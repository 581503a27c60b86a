// Writes the generated part of docs/reference/streams.md.
import { writeFile } from "node:fs/promises";
import { STREAM_PAGE, streamPage } from "./stream-page.ts";

await writeFile(STREAM_PAGE, await streamPage());
