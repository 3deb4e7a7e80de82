/** How fast steps are committed, measured over the most recent ones. */
export interface Speed {
  committed(step: TimedStep): void;
  /** The run has rolled back: earlier measurements no longer apply. */
  restart(): void;
  readonly samplesPerSecond: number;
  /** The milliseconds of a step in which its slowest worker is not computing: the median of the most recent steps. */
  readonly overheadMs: number;
}

export interface TimedStep {
  readonly samples: number;
  /** The time of the commit, on the monotonic clock. */
  readonly atMs: number;
  readonly stepMs: number;
  /**
   * The computing time of the lease that was computed last; 0 if the step was committed before any lease was reported.
   */
  readonly computeMs: number;
}

const OVERHEAD_STEPS = 31;
/** Samples per second are averaged over the steps of this last period. */
const WINDOW_MS = 5_000;

export function createSpeed(): Speed {
  let overheadsMs: number[] = [];
  let window: { readonly atMs: number; readonly samples: number }[] = [];
  return {
    committed({ samples, atMs, stepMs, computeMs }) {
      // If no lease was reported, the part of the step that was computing is not known.
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
      // The samples of the oldest step were computed before the period.
      const inSpan = window.slice(1).reduce((sum, step) => sum + step.samples, 0);
      return spanMs > 0 ? (1000 * inSpan) / spanMs : 0;
    },
    get overheadMs() {
      return [...overheadsMs].sort((a, b) => a - b)[overheadsMs.length >> 1] ?? 0;
    },
  };
}
