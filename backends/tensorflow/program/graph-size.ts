/** The size of a graph. */
import type { ProgramSize } from "../../compiler.js";
import type { GraphNode } from "./graph-def.js";

/** Operations that hold numbers or pass them on, and compute nothing. */
const STILL = /^(Placeholder|Const|VarHandleOp|ReadVariableOp|AssignVariableOp|Identity|NoOp)$/;

export function sizeOf(nodes: readonly GraphNode[]): ProgramSize {
  const constants = nodes.filter(({ operation }) => operation === "Const");
  return {
    operations: nodes.filter(({ operation }) => !STILL.test(operation)).length,
    constantBytes: constants.reduce((sum, { attributes }) => sum + (attributes.value?.length ?? 0), 0),
  };
}
