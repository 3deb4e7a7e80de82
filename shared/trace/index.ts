export {
  began,
  during,
  isTraced,
  joinTrace,
  nameProcess,
  span,
  startTrace,
  type ThreadTrace,
  tracedIn,
  traceThread,
} from "./trace.js";
