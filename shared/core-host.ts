/**
 * The shell around a pure core: events go in one at a time, and the effects that the core decides are performed in
 * their order.
 *
 * A core must never be entered while effects of its last decision are still to be performed, since it already counts
 * them as done. So an event that an effect brings about waits its turn. For the same reason everything stops at the
 * first effect that could not be performed, on a full disk for example: from then on the core is ahead of the world.
 * The failure is reported once, and whatever comes later is ignored.
 *
 * Effects are performed synchronously. One that takes time starts its work, and the end of the work is an event.
 */
export interface CoreHost<Event extends object, Effect> {
  /** Hands the event to the core: at once, or after those that wait. A failure is reported, not thrown. */
  dispatch(event: Event): void;
  /**
   * Asks the core something that needs an answer at once, and performs what it decides with it.
   * @throws the failure, when the host has failed or this question makes it fail
   * @throws {Error} when it is asked by an effect, out of turn: that is a bug
   */
  ask<Answer>(question: () => Decision<Effect, Answer>): Answer;
  /** Fails for a reason from outside the core. */
  fail(error: unknown): void;
  /** Why nothing is decided any more. */
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

  /** Performs what is decided first, then handles all events that wait. */
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
