import cliProgress from "cli-progress";
import { wrapText } from "./format.js";

/** Lines at the bottom of a terminal that are redrawn in place; lines that stay scroll by above them. */
export interface LiveLines {
  /** Writes text that stays, wrapped between words. */
  print(text: string): void;
  /** Writes one line, however long: the terminal wraps it on the screen, and copies it as one line. */
  printLine(line: string): void;
  /** From now on shows what this returns for a terminal of `columns`: as many lines as were asked for. */
  show(render: (columns: number) => readonly string[]): void;
  /** Removes the lines, for good; text may still be printed. */
  close(): void;
}

const REDRAWS_PER_SECOND = 5;
const COLUMNS_DEFAULT = 80;
/** What is printed goes over the moving lines, which may be longer. */
const CLEAR_RIGHT = "\x1b[K";

/** @param count of lines */
export function createLiveLines(stream: NodeJS.WriteStream, count: number): LiveLines {
  const bars = new cliProgress.MultiBar({
    stream,
    fps: REDRAWS_PER_SECOND,
    clearOnComplete: true,
    hideCursor: true,
    // Otherwise a line that has not changed is not drawn again after others were printed over it.
    forceRedraw: true,
    format: "",
  });
  let render: ((columns: number) => readonly string[]) | undefined;
  let open = true;
  const columns = (): number => stream.columns ?? COLUMNS_DEFAULT;

  const write = (lines: readonly string[]): void => {
    if (open && render !== undefined) bars.log(lines.map((line) => `${line}${CLEAR_RIGHT}\n`).join(""));
    else stream.write(`${lines.join("\n")}\n`);
  };

  return {
    print: (text) => write(wrapText(text, columns()).split("\n")),
    printLine: (line) => write([line]),
    show(next) {
      if (!open) return;
      const first = render === undefined;
      render = next;
      if (!first) return;
      for (let index = 0; index < count; index++) {
        bars.create(1, 0, {}, { format: () => render!(columns())[index] ?? "" });
      }
    },
    close() {
      if (!open) return;
      open = false;
      if (render === undefined) return;
      // Once more, for the lines that were printed since the last time.
      bars.update();
      bars.stop();
    },
  };
}
