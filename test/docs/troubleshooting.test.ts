import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { codeIn, tableRows } from "./markdown.test.helper.js";
import { type Message, messagesInSources } from "./messages.test.helper.js";

/** Wrong input names its field, value and limit, and Ctrl-C is not a failure: neither needs an entry. */
const SELF_EXPLAINING = ["invalid_input", "interrupted"];
/** A sentence that is made elsewhere: all of it depends on the case. */
const MADE_ELSEWHERE = /^[…\s.:;]*$/;

const documented = tableRows("docs/how-to/troubleshooting.md")
  .map(([message]) => codeIn(message)[0])
  .filter((message) => message !== undefined);

const pattern = (message: string): RegExp =>
  new RegExp(
    `^${message
      .split("…")
      .map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&"))
      .join(".*")}$`,
    "s",
  );

describe("docs/how-to/troubleshooting.md", () => {
  const messages = messagesInSources();
  const others = messages.filter(({ code, text }) => !SELF_EXPLAINING.includes(code) && !MADE_ELSEWHERE.test(text));

  it("is compared with the messages of all sources", () => {
    assert.ok(others.length >= 60, `${others.length} messages`);
    assert.ok(documented.length >= 60, `${documented.length} entries`);
  });

  it("has an entry for every sentence that a failure prints", () => {
    const patterns = documented.map(pattern);
    const missing = others.filter(({ text }) => !patterns.some((each) => each.test(text)));
    assert.deepEqual(
      missing.map(({ file, text }: Message) => `${file}: ${text}`),
      [],
    );
  });

  it("has no entry for a sentence that the sources no longer have", () => {
    const stale = documented.filter((entry) => !messages.some(({ text }) => pattern(entry).test(text)));
    assert.deepEqual(stale, []);
  });
});
