import type { StepDisplay } from "../../backends/tensorflow/install/index.js";

const REDRAW_MS = 200;
const ERASE_LINE = "\r\x1b[K";

/** On a terminal a line that is redrawn in place; elsewhere one line when a step has ended. */
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
