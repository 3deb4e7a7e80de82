/** How fast steps are committed, over the last of them. */
export interface Speed {
  committed(step: TimedStep): void;
  /** The run goes back: what came before says nothing of what comes. */
  restart(): void;
  readonly samplesPerSecond: number;
  /** The milliseconds of a step in which the worker that is done last does not compute: the median of the last steps. */
  readonly overheadMs: number;
}

export interface TimedStep {
  readonly samples: number;
  /** When it was committed, on the monotonic clock. */
  readonly atMs: number;
  readonly stepMs: number;
  /** Of the lease that was computed last; 0: the step was committed before any was heard of. */
  readonly computeMs: number;
}

const OVERHEAD_STEPS = 31;
/** Samples per second are those of so much of the last steps' time. */
const WINDOW_MS = 5_000;

export function createSpeed(): Speed {
  let overheadsMs: number[] = [];
  let window: { readonly atMs: number; readonly samples: number }[] = [];
  return {
    committed({ samples, atMs, stepMs, computeMs }) {
      // Where no lease was heard of, how much of the step was computing is not known.
      if (computeMs > 0) overheadsMs = [...overheadsMs, Math.max(0, stepMs - computeMs)].slice(-OVERHEAD_STEPS);
      window.push({ atMs, samples });
      while (window.length > 2 && atMs - window[0].atMs > WINDOW_MS) window.shift();
    },
    restart() {
      window = [];
    },
    get samplesPerSecond() {
      if (window.length < 2) return 0;
      const spanMs = window.at(-1)!.atMs - window[0].atMs;
      // The samples of the oldest one were computed before the span.
      const inSpan = window.slice(1).reduce((sum, step) => sum + step.samples, 0);
      return spanMs > 0 ? (1000 * inSpan) / spanMs : 0;
    },
    get overheadMs() {
      return [...overheadsMs].sort((a, b) => a - b)[overheadsMs.length >> 1] ?? 0;
    },
  };
}
