/** A token's secret, wherever it is in a text. */
const TOKEN = /\bisobatch_[A-Za-z0-9_-]{43}/g;
export const REDACTED = "(redacted)";

/** The text without the secrets of tokens in it. */
export function redactTokens(text: string): string {
  return text.replace(TOKEN, REDACTED);
}
