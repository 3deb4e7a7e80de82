import { readBackendSettings } from "./machine/index.js";

/**
 * The settings that tests and measurements open native backends with: read from their environment, as the command line
 * does.
 */
export const settings = readBackendSettings(process.env);
