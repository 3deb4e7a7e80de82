import type { Logger } from "../shared/log.js";

/** The actions that undo a start, both when it fails half way and when the server ends. */
export interface CleanUp {
  add(action: () => Promise<void> | void): void;
  /**
   * Runs all actions, the newest first, and forgets them. If an action fails, the others still run.
   * @throws the first failure, after all actions have run
   */
  run(): Promise<void>;
  /**
   * The same after a failure. That failure is what callers need to see, so a failure of the clean-up is only logged.
   */
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
