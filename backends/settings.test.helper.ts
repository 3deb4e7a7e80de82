import { readBackendSettings } from "./tensorflow/settings.js";

/** What tests and measurements open native backends with: the settings of their own environment, as on the command line. */
export const settings = readBackendSettings(process.env);
