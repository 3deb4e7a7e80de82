import type { Compiler } from "../../compiler.js";
import type { NativeBackend } from "../native-package.js";
import { compile } from "./program.js";
import type { SessionAddon } from "./session.js";
import { type TensorFlowTrace, trace } from "./trace.js";

/** @param backend the one that tfjs computes on, when it is asked for. */
export function createCompiler(backend: () => NativeBackend, addon: SessionAddon): Compiler {
  return {
    trace: (computation) => trace(backend(), computation),
    compile: (first, second) => compile(backend().binding, addon, first as TensorFlowTrace, second as TensorFlowTrace),
  };
}
