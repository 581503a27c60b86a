import type { StateSource } from "../../streams/window/state-tree.ts";
import { ModuleOperator } from "./module-operator.ts";
import type { StageOperator } from "./operator.ts";
import { UnitOperator, type UnitOperatorParts } from "./unit-operator.ts";

/** What a module's operator works with; `unit` is null for a module of kind `rows`. */
export interface ModuleStageParts extends Omit<UnitOperatorParts, "unit"> {
  readonly unit: number | null;
}

/** The operator of a module's kind, at the beginning of its input or where a saved state was. Throws what {@link UnitOperator.open} throws. */
export async function openModuleStage(parts: ModuleStageParts, saved: StateSource | null): Promise<StageOperator> {
  const { unit } = parts;
  return unit === null ? new ModuleOperator(parts.module, parts.seed) : UnitOperator.open({ ...parts, unit }, saved);
}
