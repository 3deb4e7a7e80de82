/**
 * Checks that a process takes no more of the GPU's memory than ISOBATCH_GPU_MEMORY allows, and that a gradient that does not fit
 * says how many samples do, which must then fit.
 */

import { openBackend } from "../../../backends/index.js";
import { pinnedGpu, readGraphics } from "../../../backends/machine/index.js";
import { settings } from "../../../backends/settings.test.helper.js";
import { TooLargeError } from "../../../compute/index.js";
import { messageOf } from "../../../shared/errors.js";
import { images, type MeasuredModel } from "../../models.js";
import { openGradientOf } from "../../worker-gradient.js";
import { runChild } from "../child.js";
import type { CheckPart } from "../report.js";

export interface MemoryRow {
  readonly limitMiB: number;
  /** How much more of the whole GPU is in use than before; null where nvidia-smi does not say. */
  readonly takenMiB: number | null;
  readonly samples: number;
  /** The error of the gradient that did not fit. */
  readonly sentence: string;
  /** The number of samples that fit, by that sentence. */
  readonly fits: number;
}

const LIMIT_GIB = 2;
/** Allowed above the limit, for the CUDA context and the libraries' own workspaces. */
const EXTRA_MIB = 1_536;
/** With this many samples one activation takes 1 GiB, and a gradient needs several. */
const SAMPLES = 16_384;
const UNITS = 16_384;
const SMI_MS = 5_000;

const wide = (batch: number): MeasuredModel => ({
  model: {
    kind: "sequential",
    layers: [
      { layer: "Flatten", inputShape: [28, 28, 1] },
      { layer: "Dense", units: UNITS, activation: "relu" },
      { layer: "Dense", units: 10 },
    ],
  },
  form: images(28, 28, 1),
  batch,
});

export const part: CheckPart<MemoryRow> = async ({ on, backend: name }, say) => {
  if (on === "cpu") {
    return say.absent("A bound of memory was not tried: it is of a GPU's memory, and a processor's is the machine's.");
  }
  const gpu = pinnedGpu(readGraphics(), process.env.CUDA_VISIBLE_DEVICES) ?? "0";
  const before = await usedMiB(gpu);
  const backend = await openBackend(name, { ...settings, gpuMemoryMiB: 1_024 * LIMIT_GIB });
  const notice = (): void => {};
  const sentence = await openGradientOf(backend, wide(SAMPLES), { notice }).then(({ compute, close }) => {
    try {
      compute();
      return undefined;
    } catch (error) {
      if (!(error instanceof TooLargeError)) throw error;
      return messageOf(error);
    } finally {
      close();
    }
  });
  const limitMiB = 1_024 * LIMIT_GIB;
  if (sentence === undefined)
    return say.fail(`A gradient that needs more than ${LIMIT_GIB} GiB was computed with that.`);
  const fits = Number(/; (?:at least )?(\d+) fit: /.exec(sentence)?.[1] ?? 0);
  const after = await usedMiB(gpu);
  const takenMiB = before === undefined || after === undefined ? null : after - before;
  say.row({ limitMiB, takenMiB, samples: SAMPLES, sentence, fits });
  if (takenMiB === null) say.absent("How much of the GPU's memory was taken is not known: nvidia-smi does not say.");
  else if (takenMiB > limitMiB + EXTRA_MIB) say.fail(`${takenMiB} MiB were taken of the GPU, ${limitMiB} are allowed.`);
  if (fits === 0) return say.fail(`The gradient does not say how many samples fit: ${sentence}`);
  const smaller = await openGradientOf(backend, wide(fits), { notice });
  smaller.compute();
  smaller.dispose();
};

async function usedMiB(gpu: string): Promise<number | undefined> {
  const query = [`--id=${gpu}`, "--query-gpu=memory.used", "--format=csv,noheader,nounits"];
  const { code, stdout } = await runChild("nvidia-smi", query, SMI_MS);
  const mebibytes = Number.parseFloat(stdout);
  return code === 0 && Number.isFinite(mebibytes) ? mebibytes : undefined;
}
