import { existsSync } from "node:fs";
import { findInstallation } from "../../backends/machine/index.js";
import { settings } from "../../backends/settings.test.helper.js";
import { sessionAddonOf } from "../../shared/native/installation.js";

const installation = findInstallation("tfjs-node", settings);

/**
 * Why tests whose child processes compile programs are skipped; false if they can. TensorFlow is not loaded to find
 * out.
 */
export const noSessionAddon =
  typeof installation === "string"
    ? installation
    : !existsSync(sessionAddonOf(installation)) && "TensorFlow has no sessions; run isobatch tensorflow install";
