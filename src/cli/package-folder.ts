import { fileURLToPath } from "node:url";

/** The package's folder, of its sources as of what is built from them. */
export const PACKAGE_FOLDER = fileURLToPath(
  new URL(import.meta.url.endsWith(".ts") ? "../../" : "../../../", import.meta.url),
);
