/** The sizes of what a run trains, as people ask for them: in `run.json`, and in a server's status. */
export interface RunFacts {
  /** `sequential`, `functional`, or the name of a built-in model. */
  readonly modelKind: string;
  /** Layers of the model and of models inside it; inputs don't count. */
  readonly modelLayers: number;
  /** Numbers in the model, those that are not trained included. */
  readonly parameters: number;
  readonly trainedParameters: number;
  /** An epoch is this many samples. */
  readonly trainingSamples: number;
  /** 0: the data set has no test part. */
  readonly testSamples: number;
  /** Classes that labels tell apart; absent where labels are numbers. */
  readonly classes?: number;
}
