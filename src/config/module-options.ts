import { z } from "zod";
import { SETTING_NAME_MAX, SETTING_VALUE_MAX, SETTINGS_MAX } from "./limits.ts";

/** Keys of a module that leave the runtime's own ABI aside: what plugins of `extism/1` are called through, and can ask for. */
export const moduleOptions = {
  export: z
    .string()
    .min(1)
    .max(SETTING_NAME_MAX)
    .optional()
    .describe("With abi: extism/1, the exported function that is called; the only one that fits when left out."),
  config: z
    .record(z.string().min(1).max(SETTING_NAME_MAX), z.string().max(SETTING_VALUE_MAX))
    .refine((settings) => Object.keys(settings).length <= SETTINGS_MAX, `must not have more than ${SETTINGS_MAX} keys`)
    .optional()
    .describe(
      "With abi: extism/1, texts that the module may ask for by key. They are part of the result: no place for secrets.",
    ),
};
