/** The sizes of a run's model and data, for people: in `run.json`, and in a server's status. */
export interface RunFacts {
  /** `sequential`, `functional`, or the name of a built-in model. */
  readonly modelKind: string;
  /** Layers of the model and of models inside it; inputs don't count. */
  readonly modelLayers: number;
  /** Numbers in the model, including those that are not trained. */
  readonly parameters: number;
  readonly trainedParameters: number;
  /** An epoch is this many samples. */
  readonly trainingSamples: number;
  /** 0: the data set has no test part. */
  readonly testSamples: number;
  /** The number of classes; absent if labels are numbers. */
  readonly classes?: number;
}
