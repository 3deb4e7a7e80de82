/**
 * The shell around a pure core: events are handled one at a time, and the effects that the core decides on are
 * performed in order.
 *
 * A core must never be entered before all effects of its last decision have been performed, because it already counts
 * them as done. So an event that is caused by an effect waits. For the same reason everything stops at the first effect
 * that could not be performed, for example because the disk is full: from then on the core's state is ahead of reality.
 * The failure is reported once, and later events are ignored.
 *
 * Effects are performed synchronously. One that takes time starts its work, and the end of the work is an event.
 */
export interface CoreHost<Event extends object, Effect> {
  /** Passes the event to the core: now, or after those that wait. A failure is reported, not thrown. */
  dispatch(event: Event): void;
  /**
   * Asks the core something that needs an immediate answer, and performs the effects of the answer.
   * @throws the failure, if the host has failed or this call makes it fail
   * @throws {Error} if it is called by an effect: that is a bug
   */
  ask<Answer>(question: () => Decision<Effect, Answer>): Answer;
  /** Fails for a reason from outside the core. */
  fail(error: unknown): void;
  /** The failure after which nothing is decided any more. */
  readonly failure: { readonly error: unknown } | undefined;
}

export interface Decision<Effect, Answer> {
  readonly answer: Answer;
  readonly effects: readonly Effect[];
}

export interface CoreHostOptions<Event extends object, Effect> {
  /** The core. */
  handle(event: Event): readonly Effect[];
  perform(effect: Effect): void;
  /** Called once, with the first failure. */
  onFailed(error: unknown): void;
}

export function createCoreHost<Event extends object, Effect>({
  handle,
  perform,
  onFailed,
}: CoreHostOptions<Event, Effect>): CoreHost<Event, Effect> {
  const queue: Event[] = [];
  let busy = false;
  let failure: { readonly error: unknown } | undefined;

  function fail(error: unknown): void {
    if (failure !== undefined) return;
    failure = { error };
    queue.length = 0;
    onFailed(error);
  }

  function performAll(effects: readonly Effect[]): void {
    for (const effect of effects) {
      if (failure !== undefined) return;
      perform(effect);
    }
  }

  /** Performs the given effects, then handles all events that wait. */
  function takeTurn(first: () => readonly Effect[]): void {
    busy = true;
    try {
      performAll(first());
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) performAll(handle(next));
    } catch (error) {
      fail(error);
    } finally {
      busy = false;
    }
  }

  return {
    dispatch(event) {
      if (failure !== undefined) return;
      queue.push(event);
      if (!busy) takeTurn(() => []);
    },

    ask<Answer>(question: () => Decision<Effect, Answer>): Answer {
      if (busy) throw new Error("A core was asked while the effects of its last decision were being performed.");
      if (failure !== undefined) throw failure.error;
      let decided: Decision<Effect, Answer> | undefined;
      takeTurn(() => {
        decided = question();
        return decided.effects;
      });
      if (failure !== undefined) throw (failure as { readonly error: unknown }).error;
      return decided!.answer;
    },

    fail,

    get failure() {
      return failure;
    },
  };
}
