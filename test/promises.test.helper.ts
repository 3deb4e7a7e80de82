/** The promises of docs/explanation/promises.md, in its own words: a failing test says which of them broke. */
export const PROMISES = {
  countedOnce: "Each micro-batch counts exactly once in a committed step",
  sameBits:
    "give the same `stateHash` on any number of workers, compute threads and shards, and through any kills and restarts",
  wholeSteps: "No worker ever sees weights of a partly applied step",
  checkpointSurvives: "A checkpoint that was reported as written survives `kill -9` of everything",
  fewStepsLost: "a crash costs at most the steps since then",
  noSilentDamage: "A damaged checkpoint is never loaded silently",
  rejectedInput: "Rejected input never changes weights",
  tokenNeeded: "without the token nobody gets past the handshake",
  advances: "With one healthy worker and all shards up, training advances",
} as const;

export type PromiseName = keyof typeof PROMISES;

/** The message of an assertion that holds a promise; `found` is what was found instead. */
export function broken(promise: PromiseName, found: string): string {
  return `A promise is broken: "${PROMISES[promise]}". ${found}`;
}
