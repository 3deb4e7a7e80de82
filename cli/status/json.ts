export { runStatus as statusJson } from "../../api/run/status.js";
