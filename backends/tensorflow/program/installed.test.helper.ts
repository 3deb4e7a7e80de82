/** The compiler of the TensorFlow that is installed here, which is loaded, and why tests that need one are skipped. */
import { openBackend, probeBackend } from "../../index.js";

const { available, reason } = await probeBackend("tfjs-node");

export const installedCompiler = available ? (await openBackend("tfjs-node")).compiler : undefined;

/** For a test's `skip`; false if programs can be compiled. */
export const noPrograms =
  installedCompiler === undefined &&
  (reason || "the TensorFlow that is installed has no sessions; run isobatch tensorflow install");
