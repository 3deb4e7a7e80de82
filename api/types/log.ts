/** How severe a log record is, from least to most. */
export type LogLevel = "debug" | "info" | "warn" | "error";

/** One record of a run's log. Whatever looks like a token is redacted. */
export interface LogRecord {
  readonly level: LogLevel;
  /** ISO 8601. */
  readonly at: string;
  readonly message: string;
  /** The process that said it, such as `"worker 1"`; absent for this one. */
  readonly source?: string;
  /** What belongs to the message, such as the run's id. */
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Where log records go; nothing is printed by default. */
export interface Logging {
  /** Called with each record. */
  readonly onLog?: (record: LogRecord) => void;
  /** The least severe records. Default: `"warn"`; `"info"` for `join`. */
  readonly logLevel?: LogLevel | "silent";
}
