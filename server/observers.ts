import { awaited } from "../shared/awaited.js";
import { messageOf } from "../shared/errors.js";
import type { CleanUp } from "./clean-up.js";
import type { Observation, RunObserver, RunSource } from "./run-observer.js";

export interface Observers {
  /** The run has ended and its summary has been written. */
  ended(): void;
}

/**
 * Starts the observers in order and adds their closing to `cleanUp`.
 * @throws what an observer's start throws
 */
export async function startObservers(
  observers: readonly RunObserver[],
  source: RunSource,
  cleanUp: CleanUp,
): Promise<Observers> {
  const { log } = source;
  const started: { readonly name: string; readonly observation: Observation }[] = [];
  const warn = (name: string, error: unknown): void =>
    log.warn(`${name} failed, which does not affect the run. ${messageOf(error)}`);
  for (const observer of observers) {
    const { name } = observer;
    const observation = await observer.start({
      ...source,
      metrics: watched(source.metrics, (error) => warn(name, error)),
    });
    started.push({ name, observation });
    cleanUp.add(async () => {
      try {
        await awaited(`${name} to close`, Promise.resolve(observation.close?.()));
      } catch (error) {
        warn(name, error);
      }
    });
  }
  return {
    ended() {
      for (const { name, observation } of started) {
        try {
          observation.ended?.();
        } catch (error) {
          warn(name, error);
        }
      }
    },
  };
}

/** The same lines; a listener that fails gets no more of them, which is logged. */
function watched(metrics: RunSource["metrics"], onFailed: (error: unknown) => void): RunSource["metrics"] {
  return {
    subscribe: (fromLine, listener) =>
      metrics.subscribe(fromLine, async (json, line) => {
        try {
          await listener(json, line);
        } catch (error) {
          onFailed(error);
          throw error;
        }
      }),
  };
}
