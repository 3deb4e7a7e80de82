export { type Happening, happeningOf, type RunOccurrence, withHappening } from "./happenings.js";
