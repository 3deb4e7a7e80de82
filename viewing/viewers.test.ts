/** What usually shows a run, on a server whose disk doesn't do what it should. */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { serve, smallTask, temporaryFolder, work } from "../server/test-server.test.helper.js";
import { createViewers } from "./index.js";

describe("createViewers()", { timeout: 60_000 }, () => {
  it("leaves a report next to the summary, and lets a run end well that can't have one", async (test) => {
    const task = await smallTask(3);
    const hashes: string[] = [];
    for (const isBlocked of [false, true]) {
      const out = temporaryFolder(test);
      const server = await serve(test, { task, out, observers: createViewers().observers });
      if (isBlocked) {
        mkdirSync(join(out, "report.html"));
        writeFileSync(join(out, "tensorboard"), "not a folder");
      }
      await work(test, server.address);
      const { summary } = await server.finished;
      hashes.push(summary.stateHash);
      const said = (words: RegExp): boolean => server.log.some((line) => words.test(line));
      if (isBlocked) {
        assert.ok(said(/The report failed, which does not affect the run\. Can't write .*report\.html: a folder/));
        assert.ok(said(/TensorBoard gets no more of this run\. Can't .*tensorboard/));
      } else assert.match(readFileSync(join(out, "report.html"), "utf8"), new RegExp(summary.stateHash));
    }
    assert.equal(hashes[0], hashes[1]);
  });
});
