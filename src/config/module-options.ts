import { z } from "zod";
import { SETTING_NAME_MAX, SETTING_VALUE_MAX, SETTINGS_MAX } from "./limits.ts";

/** Texts by key that a module may ask for. */
export const settings = z
  .record(z.string().min(1).max(SETTING_NAME_MAX), z.string().max(SETTING_VALUE_MAX))
  .refine((given) => Object.keys(given).length <= SETTINGS_MAX, `must not have more than ${SETTINGS_MAX} keys`);

/** Keys of a module that say what it is called through, and what it can ask for. */
export const moduleOptions = {
  export: z
    .string()
    .min(1)
    .max(SETTING_NAME_MAX)
    .optional()
    .describe("With abi: extism/1, the exported function that is called; the only one that fits when left out."),
  config: settings
    .optional()
    .describe(
      "With abi: extism/1, texts that the module may ask for by key. They are part of the result: no place for secrets.",
    ),
  settings: settings
    .optional()
    .describe(
      "With abi: ipdm/1, texts that the module may ask for by name. They are part of the result: no place for secrets.",
    ),
};
