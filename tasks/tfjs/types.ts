/** TensorFlow.js by its types only: who names them loads none of it. */

/** TensorFlow.js 4.22.0: everything that `@tensorflow/tfjs-core` and `@tensorflow/tfjs-layers` export, as one object. */
export type TensorFlow = Omit<typeof import("@tensorflow/tfjs-core"), "default"> &
  Omit<typeof import("@tensorflow/tfjs-layers"), "default">;

/** A model of TensorFlow.js, as `tf.sequential(…)` and `tf.model(…)` return it. */
export type LayersModel = InstanceType<TensorFlow["LayersModel"]>;
