/** The compiler of the TensorFlow that is installed here, which is loaded, and why tests that need one are skipped. */
import { openBackend, probeBackend } from "../../index.js";
import { settings } from "../../settings.test.helper.js";

const { available, reason } = await probeBackend("tfjs-node", settings);

export const installedCompiler = available ? (await openBackend("tfjs-node", settings)).compiler : undefined;

/** For a test's `skip`; false if programs can be compiled. */
export const noPrograms =
  installedCompiler === undefined &&
  (reason || "the TensorFlow that is installed has no sessions; run isobatch tensorflow install");
