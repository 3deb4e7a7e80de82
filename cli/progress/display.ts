import { createLiveLines } from "./live-lines.js";
import { createPlainPace, type Paint, plainLine, type RunView, terminalLines } from "./view.js";

/** Where a run's lines and live figures go: a terminal, or a pipe that gets plain lines. */
export interface Display {
  /** Whether lines are redrawn in place, so that nothing else may write to the terminal meanwhile. */
  readonly moves: boolean;
  /** Writes one or more lines that stay. */
  print(text: string): void;
  /** Writes one line, however long, for a command: the terminal wraps it on the screen, and copies it as one line. */
  printLine(line: string): void;
  /** Shows the run as it is now. */
  show(view: RunView): void;
  /** Removes the live lines for good; lines may still be printed. */
  close(): void;
}

export function createDisplay(stream: NodeJS.WriteStream, paint: Paint): Display {
  return stream.isTTY ? createTerminalDisplay(stream, paint) : createPlainDisplay(stream);
}

function createPlainDisplay(stream: NodeJS.WriteStream): Display {
  const pace = createPlainPace(performance.now());
  return {
    moves: false,
    print: (line) => void stream.write(`${line}\n`),
    printLine: (line) => void stream.write(`${line}\n`),
    show(view) {
      const share = view.samplesTotal === 0 ? 0 : view.samples / view.samplesTotal;
      if (pace.isDue(share, performance.now())) stream.write(`${plainLine(view)}\n`);
    },
    close() {},
  };
}

/** Two lines that are redrawn; lines that stay scroll by above them. */
function createTerminalDisplay(stream: NodeJS.WriteStream, paint: Paint): Display {
  const { print, printLine, show, close } = createLiveLines(stream, 2);
  return {
    moves: true,
    print,
    printLine,
    close,
    show: (view) => show((columns) => terminalLines(view, columns, paint)),
  };
}
