import type { Compiler } from "../../compiler.js";
import type { NativeBackend } from "../native-package.js";
import type { SessionDevices } from "./graph-def.js";
import { compile } from "./program.js";
import type { SessionAddon } from "./session.js";
import { type TensorFlowTrace, trace } from "./trace.js";

export type { SessionDevices } from "./graph-def.js";

/**
 * @param backend the one that tfjs computes on, when it is asked for.
 * @param devices the session's; only tests choose others than those that the binding sees.
 */
export function createCompiler(backend: () => NativeBackend, addon: SessionAddon, devices?: SessionDevices): Compiler {
  return {
    get onDevice() {
      return devices?.otherDevices ?? backend().binding.isUsingGpuDevice();
    },
    trace: (computation) => trace(backend(), computation),
    compile(first, second) {
      const { binding } = backend();
      const seen = devices ?? { otherDevices: binding.isUsingGpuDevice() };
      return compile(binding, addon, seen, first as TensorFlowTrace, second as TensorFlowTrace);
    },
  };
}
