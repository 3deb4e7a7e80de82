export {
  firstMicroBatchOf,
  type KappaFact,
  type KappaRule,
  kappaFactOf,
  kappaRuleText,
  kappaWith,
  largestKappa,
  recordFault,
} from "./kappa.js";
export type * from "./steps.js";
