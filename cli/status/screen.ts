/**
 * A terminal's screen for a view that is redrawn in place, and the key that leaves it. Afterwards the terminal shows
 * what it showed before, however this process ends.
 */
export interface Screen {
  readonly columns: number;
  readonly rows: number;
  /** Shows only these lines; none may be longer than the screen is wide. */
  draw(lines: readonly string[]): void;
  /** Calls the listener when the screen has another size, or must be drawn again for another reason. */
  onChange(listener: () => void): void;
  /** Aborted by q, Ctrl-C, or a signal that ends this process. */
  readonly left: AbortSignal;
  close(): void;
}

/** The size of a terminal that does not report one. */
const COLUMNS = 80;
const ROWS = 24;
/** Without a line break at its end the last line may be at the bottom of the screen. */
const ENTER = "\x1b[?1049h\x1b[?25l";
const LEAVE = "\x1b[?25h\x1b[?1049l";
const HOME = "\x1b[H";
const CLEAR_RIGHT = "\x1b[K";
const CLEAR_BELOW = "\x1b[J";
const CTRL_C = "\x03";
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

export function openScreen(input: NodeJS.ReadStream, output: NodeJS.WriteStream): Screen {
  const leaving = new AbortController();
  const leave = (): void => leaving.abort();
  const restore = (): void => void output.write(LEAVE);
  const onKeys = (keys: Buffer): void => {
    if ([...keys.toString()].some((key) => key === "q" || key === "Q" || key === CTRL_C)) leave();
  };
  let changed = (): void => {};
  const onChanged = (): void => changed();

  output.write(ENTER);
  process.once("exit", restore);
  for (const signal of SIGNALS) process.on(signal, leave);
  process.on("SIGCONT", onChanged);
  output.on("resize", onChanged);
  if (input.isTTY) {
    input.setRawMode(true);
    input.on("data", onKeys);
    input.resume();
  }

  return {
    get columns() {
      return output.columns || COLUMNS;
    },
    get rows() {
      return output.rows || ROWS;
    },
    left: leaving.signal,
    draw(lines) {
      const shown = lines.slice(0, output.rows || ROWS).map((line) => line + CLEAR_RIGHT);
      output.write(HOME + shown.join("\r\n") + CLEAR_BELOW);
    },
    onChange(listener) {
      changed = listener;
    },
    close() {
      process.off("exit", restore);
      for (const signal of SIGNALS) process.off(signal, leave);
      process.off("SIGCONT", onChanged);
      output.off("resize", onChanged);
      if (input.isTTY) {
        input.off("data", onKeys);
        input.setRawMode(false);
        input.pause();
      }
      restore();
    },
  };
}
