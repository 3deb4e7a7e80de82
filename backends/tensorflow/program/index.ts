import type { Compiler } from "../../compiler.js";
import type { NativeBackend } from "../native-package.js";
import type { SessionDevices } from "./graph-def.js";
import { compile } from "./program.js";
import type { SessionAddon } from "./session.js";
import type { ProgramSettings } from "./settings.js";
import { type TensorFlowTrace, trace } from "./trace.js";

export type { SessionDevices } from "./graph-def.js";
export type { SessionAddon } from "./session.js";
export { type ProgramSettings, programSettings } from "./settings.js";

/** Two virtual CPU devices, with the operations on the second. */
const SPLIT_DEVICES: SessionDevices = { otherDevices: false, cpuDevices: 2, device: "/device:CPU:1" };

/**
 * @param backend returns the backend that tfjs computes on
 * @param devices the session's; only tests choose others than those that the binding sees, or the settings name.
 */
export function createCompiler(
  backend: () => NativeBackend,
  addon: SessionAddon,
  { bits, rewriting, split }: ProgramSettings,
  devices?: SessionDevices,
): Compiler {
  return {
    bits,
    trace: (computation) => trace(backend(), computation),
    compile(first, second) {
      const { binding } = backend();
      const seen = devices ?? (split ? SPLIT_DEVICES : { otherDevices: binding.isUsingGpuDevice() });
      return compile(binding, addon, { ...seen, rewriting }, first as TensorFlowTrace, second as TensorFlowTrace);
    },
  };
}
