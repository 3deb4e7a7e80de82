/** Compares every kernel that training calls with the cpu backend's. */
import {
  type AgreementReport,
  compareKernels,
  TOLERANCE,
} from "../../../compute/gradients/kernel-agreement.test.helper.js";
import type { CheckPart } from "../report.js";

export interface KernelsRow {
  readonly reference: string;
  readonly tolerance: string;
  readonly kernels: number;
  readonly calls: number;
  readonly total: number;
  readonly worst: AgreementReport["kernels"];
}

export const part: CheckPart<KernelsRow> = async ({ backend }, say) => {
  const { kernels, withoutCounterpart, failed, total, reference } = await compareKernels(backend, "cpu");
  for (const { during, message } of failed) say.fail(`${during} can't be computed: ${message.split("\n")[0]}.`);
  for (const { kernel, error, reduction, during } of kernels.filter(({ worst }) => !(worst <= 1))) {
    say.fail(`${kernel} is ${error} off the ${reference} backend (sums of ${reduction}; in ${during}).`);
  }
  if (withoutCounterpart.length > 0) say.fail(`No other backend has ${withoutCounterpart.join(", ")}.`);
  if (kernels.length === 0) say.fail("No kernel was compared.");
  say.row({
    ...{ reference, tolerance: `${TOLERANCE} · √(length of the sum)`, kernels: kernels.length },
    ...{ calls: kernels.reduce((sum, { calls }) => sum + calls, 0), total, worst: kernels.slice(0, 5) },
  });
};
