/** Kernels that layers need and the package lacks, although TensorFlow has the operation. */
import { registerKernel, scalar, type TensorInfo } from "../../tasks/tfjs/core.js";
import { flag, floatType, intType, run } from "./operation.js";

/** How often each number below `size` occurs in x, one row per batch; with `binaryOutput`, whether it occurs. */
export function registerDenseBincount(): void {
  registerKernel({
    kernelName: "DenseBincount",
    backendName: "tensorflow",
    kernelFunc({ inputs, attrs, backend }) {
      const { x, weights } = inputs as unknown as { x: TensorInfo; weights: TensorInfo };
      const { size, binaryOutput } = attrs as unknown as { size: number; binaryOutput: boolean };
      const count = scalar(size, "int32");
      const attributes = [floatType("T"), intType("Tidx"), flag("binary_output", binaryOutput)];
      const result = run(backend, "DenseBincount", attributes, [x, count, weights]);
      count.dispose();
      return result;
    },
  });
}
