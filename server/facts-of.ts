import { describeModel, type PreparedTask } from "../tasks/index.js";
import type { RunFacts } from "./record/index.js";

/** The sizes of a task's model and data set. */
export function factsOf({ task, built, data }: PreparedTask): RunFacts {
  const { kind, layers } = describeModel(task.model, built.topology);
  const { classes } = data.train.label;
  return {
    modelKind: kind,
    modelLayers: layers,
    parameters: built.layout.length,
    trainedParameters: built.layout.parameters,
    trainingSamples: data.train.samples,
    testSamples: data.test?.samples ?? 0,
    ...(classes !== undefined && { classes }),
  };
}
