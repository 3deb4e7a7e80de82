import cliProgress from "cli-progress";
import { wrapText } from "./format.js";
import { createPlainPace, type Paint, plainLine, type RunView, terminalLines } from "./view.js";

/** Where a run's lines and its moving figures go: a terminal, or a pipe that gets plain lines. */
export interface Display {
  /** Whether what is shown moves, so that nobody else may write to the terminal meanwhile. */
  readonly moves: boolean;
  /** Writes a line that stays, or several. */
  print(text: string): void;
  /** Writes one line, however long, for a command: the terminal wraps it on the screen, and copies it as one line. */
  printLine(line: string): void;
  /** Shows the run as it is now. */
  show(view: RunView): void;
  /** Removes what moves, for good; lines may still be printed. */
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

const REDRAWS_PER_SECOND = 5;
/** What is printed goes over the moving lines, which may be longer. */
const CLEAR_RIGHT = "\x1b[K";

/** Two lines at the bottom, redrawn in place; lines that stay scroll by above them. */
function createTerminalDisplay(stream: NodeJS.WriteStream, paint: Paint): Display {
  const bars = new cliProgress.MultiBar({
    stream,
    fps: REDRAWS_PER_SECOND,
    clearOnComplete: true,
    hideCursor: true,
    // Otherwise a line that has not changed is not drawn again after others were printed over it.
    forceRedraw: true,
    format: "",
  });
  let shown: RunView | undefined;
  let open = true;
  const lineOf = (index: 0 | 1) => () =>
    shown === undefined ? "" : terminalLines(shown, stream.columns ?? 80, paint)[index];

  const write = (lines: readonly string[]): void => {
    if (open && shown !== undefined) bars.log(lines.map((line) => `${line}${CLEAR_RIGHT}\n`).join(""));
    else stream.write(`${lines.join("\n")}\n`);
  };

  return {
    moves: true,
    print: (text) => write(wrapText(text, stream.columns ?? 80).split("\n")),
    printLine: (line) => write([line]),
    show(view) {
      if (!open) return;
      const first = shown === undefined;
      shown = view;
      if (first) for (const index of [0, 1] as const) bars.create(1, 0, {}, { format: lineOf(index) });
    },
    close() {
      if (!open) return;
      open = false;
      if (shown === undefined) return;
      // Once more, for the lines that were printed since the last time.
      bars.update();
      bars.stop();
    },
  };
}
