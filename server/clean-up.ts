import type { Logger } from "../shared/log.js";

/** What must be undone of a start, whether it fails half way or the server ends. */
export interface CleanUp {
  add(action: () => Promise<void> | void): void;
  /**
   * Undoes all that was added, the newest first; what is undone is forgotten. An action that fails keeps none of the
   * others from being done.
   * @throws the first failure, once all is done
   */
  run(): Promise<void>;
  /** The same after a failure, which is what counts: if undoing fails as well, that is only logged. */
  runAfterFailure(log: Logger): Promise<void>;
}

export function createCleanUp(): CleanUp {
  const actions: (() => Promise<void> | void)[] = [];

  async function run(): Promise<void> {
    let failed: { readonly error: unknown } | undefined;
    for (const action of actions.splice(0).reverse()) {
      try {
        await action();
      } catch (error) {
        failed ??= { error };
      }
    }
    if (failed !== undefined) throw failed.error;
  }

  return {
    add: (action) => void actions.push(action),
    run,
    async runAfterFailure(log) {
      try {
        await run();
      } catch (error) {
        log.error({ err: error }, "cleaning up after a failure failed as well");
      }
    },
  };
}
