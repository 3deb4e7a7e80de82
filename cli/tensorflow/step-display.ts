/** Tells of steps that take seconds or minutes, one after the other. */
export interface StepDisplay {
  /** Runs a step, with its name and the time it takes on show; `detail` changes what is shown beside it. */
  step<T>(name: string, action: (detail: (text: string) => void) => Promise<T>): Promise<T>;
  /** A line that stays. */
  print(line: string): void;
}

const REDRAW_MS = 200;
const ERASE_LINE = "\r\x1b[K";

/** On a terminal a line that is redrawn in place; elsewhere a line when a step has ended. */
export function createStepDisplay(stream: NodeJS.WriteStream): StepDisplay {
  const seconds = (sinceMs: number): string => `${((performance.now() - sinceMs) / 1000).toFixed(1)} s`;
  const print = (line: string): void => void stream.write(`${line}\n`);
  return {
    print,
    async step(name, action) {
      const startedMs = performance.now();
      let detail = "";
      const draw = (): void => {
        const line = `  ${name} … ${seconds(startedMs)}${detail && `  ${detail}`}`;
        stream.write(`${ERASE_LINE}${line.slice(0, (stream.columns ?? 80) - 1)}`);
      };
      const timer = stream.isTTY ? setInterval(draw, REDRAW_MS) : undefined;
      if (stream.isTTY) draw();
      let sign = "✗";
      try {
        const result = await action((text) => {
          detail = text;
        });
        sign = "✓";
        return result;
      } finally {
        clearInterval(timer);
        stream.write(`${stream.isTTY ? ERASE_LINE : ""}${sign} ${name} (${seconds(startedMs)})\n`);
      }
    },
  };
}
