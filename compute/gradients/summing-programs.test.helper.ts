/** A model for tests of programs that sum gradients by themselves, and why such tests are skipped. */
import { installedCompiler, noPrograms } from "../../backends/tensorflow/program/installed.test.helper.js";
import { keepsSums } from "./program-fold.test.helper.js";

/** For a test's `skip`; false if programs keep sums. */
export const noSums =
  noPrograms ||
  (!keepsSums(installedCompiler!) && "the TensorFlow that is installed keeps no sums; run isobatch tensorflow install");

/** With a tail, and with random numbers. */
export const LAYERS = [
  { layer: "Dense", units: 12, inputShape: [4], activation: "tanh" },
  { layer: "BatchNormalization", momentum: 0.9 },
  { layer: "Dropout", rate: 0.3 },
  { layer: "Dense", units: 3 },
];
