import { invalid } from "../../shared/errors.js";

export { elastic } from "./elastic.js";
export { invariance } from "./invariance.js";

/** @throws {IsobatchError} `invalid_input` for an experiment that does not exist */
export function checkKind(kind: unknown): void {
  if (kind !== "invariance" && kind !== "elastic") {
    invalid(`There is no experiment ${JSON.stringify(kind)}; choose "invariance" or "elastic".`);
  }
}
