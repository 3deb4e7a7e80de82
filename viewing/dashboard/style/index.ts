import { BASE } from "./base.js";
import { RUN } from "./run.js";

/** The style sheet of the dashboard's pages: light and dark by the reader's own setting, from a phone's width up. */
export const STYLE = BASE + RUN;
