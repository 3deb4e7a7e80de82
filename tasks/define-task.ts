import type { LayersModel, TensorFlow } from "./models/index.js";
import type { TaskInput } from "./task.js";

/** A task whose model is code. */
export type TaskDefinition = Omit<Partial<TaskInput>, "model"> & {
  /** Another task, whose fields hold where this one has none. */
  readonly extends?: string;
  /**
   * Makes the model, of tfjs's own layers; one input, one output, ending in logits for the cross-entropies. `tf` is
   * the tfjs that trains it; another copy of the same version does as well.
   */
  readonly model: TaskInput["model"] | ((tf: TensorFlow) => LayersModel | Promise<LayersModel>);
};

/** A task module's default export: returns `definition` as it is, for its types. */
export function defineTask(definition: TaskDefinition): TaskDefinition {
  return definition;
}
