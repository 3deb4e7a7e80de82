// `npm run test:docs`: types the commands of the documentation, page by page and in order, as a reader would. Runs are made
// short (`--steps`) unless the page states what they reach; addresses and tokens are those of the server at hand. The page
// that installs the program is typed in a copy of the checkout as a clone has it.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { checkedElsewhere } from "./checked-elsewhere.test.helper.js";
import { type Desk, openDesk } from "./desk.test.helper.js";
import { codeIn, commandsOf, INSTALLING_PAGE, PAGES, read } from "./markdown.test.helper.js";

const words = (process.env.ISOBATCH_TEST_PAGES ?? "").split(" ");

/** The installing page comes first, so that the others are typed with the program that it has installed. */
const pages = [...PAGES]
  .sort((a, b) => Number(b === INSTALLING_PAGE) - Number(a === INSTALLING_PAGE))
  .filter((name) => words.some((word) => name.includes(word)));

describe("what the documentation says", { concurrency: 1 }, () => {
  let packageRoot: string | undefined;
  const desks: Desk[] = [];
  after(() => {
    for (const desk of desks) desk.clear();
  });
  for (const page of pages) {
    const commands = commandsOf(page).filter((command) => checkedElsewhere(command) === undefined);
    if (commands.length === 0) continue;
    describe(page, { concurrency: 1 }, () => {
      let desk: Desk;
      before(() => {
        desk = openDesk(page, packageRoot);
        desks.push(desk);
      });
      for (const command of commands) {
        const [first, ...more] = command.text.split("\n");
        it(`line ${command.line}: ${first}${more.length > 0 ? " …" : ""}`, () => desk.perform(command));
      }
      it("and everything that was started ends without an error", () => desk.close());
      if (page !== INSTALLING_PAGE) return;
      it("and docs/reference/run-directory.md describes every field of the run's files", () =>
        describesRun(desk.cwd()));
      after(() => {
        packageRoot = desk.packageRoot();
      });
    });
  }
});

function describesRun(folder: string): void {
  const described = new Set(codeIn(read("docs/reference/run-directory.md")));
  const run = join(folder, "runs/first");
  const lines = ["metrics.jsonl", "ledger.jsonl"].flatMap((file) =>
    readFileSync(join(run, file), "utf8")
      .trim()
      .split("\n")
      .map((json) => JSON.parse(json) as Record<string, unknown>),
  );
  const summary = JSON.parse(readFileSync(join(run, "summary.json"), "utf8")) as Record<string, unknown>;
  const identity = JSON.parse(readFileSync(join(run, "run.json"), "utf8")) as Record<string, unknown>;
  const fields = [...lines, summary, identity].flatMap((object) => [
    ...Object.keys(object),
    ...Object.keys(object.ms ?? {}),
    ...(object.type === "event" ? [String(object.event)] : []),
  ]);
  const missing = [...new Set(fields)].filter((field) => !described.has(field));
  // The page writes `type` together with its value.
  assert.deepEqual(
    missing.filter((field) => field !== "type"),
    [],
  );
  assert.ok(lines.length > 4);
}
