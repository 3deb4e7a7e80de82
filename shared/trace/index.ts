export {
  began,
  during,
  isTraced,
  joinTrace,
  nameProcess,
  span,
  startTrace,
  type ThreadTrace,
  traceThread,
} from "./trace.js";
