let last: Promise<unknown> = Promise.resolve();

/**
 * Makes models one at a time: while one is made, TensorFlow.js computes on its cpu backend, and two runs of one process must not
 * switch backends under each other.
 */
export function queueBuild<Result>(build: () => Promise<Result>): Promise<Result> {
  const result = last.then(build);
  last = result.catch(() => {});
  return result;
}
