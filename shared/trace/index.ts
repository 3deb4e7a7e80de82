export { began, during, joinTrace, nameProcess, span, startTrace, type ThreadTrace, traceThread } from "./trace.js";
