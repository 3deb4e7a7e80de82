import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { IsobatchError } from "../../shared/errors.js";
import { createLayout } from "../../shared/layout/index.js";
import { LOCK_FILE, lockHolder } from "./lock.js";
import { openRunDirectory, type RunDirectoryOptions, readRunDirectory } from "./run-directory.js";

const layout = createLayout([{ name: "dense_1/kernel", shape: [2, 3], kind: "parameter", decay: true }]);
const otherLayout = createLayout([{ name: "dense_1/kernel", shape: [3, 3], kind: "parameter", decay: true }]);
const lockModule = JSON.stringify(new URL("./lock.js", import.meta.url).href);
let root: string;
let folders = 0;
const newFolder = () => join(root, `run-${folders++}`);
const optionsOf = (folder: string, change: Partial<RunDirectoryOptions> = {}): RunDirectoryOptions => ({
  folder,
  task: { name: "mnist", hash: "hash-1", json: '{"name":"mnist"}' },
  version: "0.1.0",
  topology: '{"class_name":"Sequential"}',
  layout,
  ...change,
});
const fails = (code: string, words: RegExp) => (error: unknown) =>
  error instanceof IsobatchError && error.code === code && words.test(error.message);

before(() => {
  root = mkdtempSync(join(tmpdir(), "isobatch-run-directory-"));
});
after(() => rmSync(root, { recursive: true }));

describe("openRunDirectory()", () => {
  it("makes a folder with everything about the run, and finds the same run again", () => {
    const folder = newFolder();
    const first = openRunDirectory(optionsOf(folder));
    assert.equal(first.resumed, false);
    first.saveTerm(3);
    first.saveNumerics({ backend: "wasm", version: "4.22.0", architecture: "x64", flags: "simd" });
    first.close();
    assert.deepEqual(readdirSync(folder).sort(), ["checkpoints", "layout.json", "model.json", "run.json", "task.json"]);

    const second = openRunDirectory(optionsOf(folder));
    assert.equal(second.resumed, true);
    assert.deepEqual(second.identity, first.identity);
    assert.equal(second.identity.term, 3);
    assert.equal(second.identity.numerics?.backend, "wasm");
    second.close();
    const contents = readRunDirectory(folder);
    assert.deepEqual(contents.identity, first.identity);
    assert.deepEqual(contents.layout, layout);
    assert.equal(contents.topology, '{"class_name":"Sequential"}');
    assert.notEqual(openRunDirectory(optionsOf(newFolder())).identity.runId, first.identity.runId);
  });

  it("records the sizes of the model and the data, also in a directory that an older version made", () => {
    const folder = newFolder();
    openRunDirectory(optionsOf(folder)).close();
    assert.equal(readRunDirectory(folder).identity.facts, undefined);
    const model = { modelKind: "sequential", modelLayers: 1, parameters: 6, trainedParameters: 6 };
    const facts = { ...model, trainingSamples: 100, testSamples: 20 };
    openRunDirectory(optionsOf(folder, { facts })).close();
    assert.deepEqual(readRunDirectory(folder).identity.facts, facts);
    openRunDirectory(optionsOf(folder)).close();
    assert.deepEqual(readRunDirectory(folder).identity.facts, facts);
  });

  it("takes a longer task of the same hash, and a start that was killed halfway", () => {
    const folder = newFolder();
    openRunDirectory(optionsOf(folder)).close();
    rmSync(join(folder, "layout.json"));
    const longer = { name: "mnist", hash: "hash-1", json: '{"name":"mnist","samples":9}' };
    const again = openRunDirectory(optionsOf(folder, { task: longer }));
    assert.equal(readFileSync(join(folder, "task.json"), "utf8"), '{"name":"mnist"}', "it may yet fail to start");
    again.saveTask();
    again.close();
    assert.equal(readFileSync(join(folder, "task.json"), "utf8"), longer.json);
    assert.deepEqual(readRunDirectory(folder).layout, layout);
  });

  it("refuses another task's folder, naming both tasks and the way out", () => {
    const folder = newFolder();
    openRunDirectory(optionsOf(folder)).close();
    const open = (name: string) => () =>
      openRunDirectory(optionsOf(folder, { task: { name, hash: "hash-2", json: "{}" } }));
    assert.throws(open("cifar"), fails("invalid_input", /task "mnist", so "cifar" can't continue in it; .*--out/));
    assert.throws(open("mnist"), fails("invalid_input", /task "mnist" with other settings, .*--out/));
    assert.equal(readFileSync(join(folder, "task.json"), "utf8"), '{"name":"mnist"}');
    const changed = optionsOf(folder, { layout: otherLayout });
    assert.throws(() => openRunDirectory(changed), fails("invalid_input", /another model/));
    openRunDirectory(optionsOf(folder)).close();
  });

  it("refuses a folder with anything else in it, and leaves it alone", () => {
    const folder = newFolder();
    mkdirSync(folder);
    writeFileSync(join(folder, "thesis.tex"), "");
    const open = () => openRunDirectory(optionsOf(folder));
    assert.throws(open, fails("invalid_input", /it has thesis\.tex, but no run\.json.*--out/));
    assert.deepEqual(readdirSync(folder), ["thesis.tex"]);
  });

  it("says so when run.json is damaged, or the path is a file", () => {
    const folder = newFolder();
    openRunDirectory(optionsOf(folder)).close();
    const sound = readFileSync(join(folder, "run.json"), "utf8");
    // A term after which there is no next one, or that is none.
    const terms = ["9007199254740991", "-1", "0.5"].map((term) => sound.replace('"term": 0', `"term": ${term}`));
    for (const content of ["", "{", "null", "{}", ...terms]) {
      writeFileSync(join(folder, "run.json"), content);
      assert.throws(() => openRunDirectory(optionsOf(folder)), fails("damaged", /run\.json is damaged/));
    }
    const file = newFolder();
    writeFileSync(file, "");
    assert.throws(
      () => openRunDirectory(optionsOf(file)),
      (error) => error instanceof Error,
    );
  });
});

describe("the lock", () => {
  it("keeps a second server out until the first closes", () => {
    const folder = newFolder();
    const first = openRunDirectory(optionsOf(folder));
    const again = () => openRunDirectory(optionsOf(folder));
    assert.throws(again, fails("refused", new RegExp(`in use by process ${process.pid} since .*--out`)));
    first.showAddress("127.0.0.1:7400");
    assert.equal(lockHolder(folder)?.address, "127.0.0.1:7400");
    assert.throws(again, fails("refused", /in use by process/));
    first.close();
    assert.equal(lockHolder(folder), undefined);
    again().close();
  });

  it("may be many in one program, which still listens for its end only once", () => {
    const before = process.listenerCount("exit");
    const directories = Array.from({ length: 12 }, () => openRunDirectory(optionsOf(newFolder())));
    assert.ok(process.listenerCount("exit") <= before + 1);
    for (const directory of directories) directory.close();
    assert.equal(process.listenerCount("exit"), before);
  });

  it("of a killed process is taken over", async () => {
    const folder = newFolder();
    const program = `import { acquireLock } from ${lockModule};
      acquireLock(process.argv[1]); console.log("locked"); setInterval(() => {}, 1000);`;
    mkdirSync(folder);
    const child = spawn(process.execPath, ["--input-type=module", "-e", program, folder]);
    await once(child.stdout, "data");
    assert.throws(() => openRunDirectory(optionsOf(folder)), fails("refused", new RegExp(`process ${child.pid} `)));
    const exited = once(child, "exit");
    child.kill("SIGKILL");
    await exited;
    openRunDirectory(optionsOf(folder)).close();
    assert.ok(!readdirSync(folder).includes(LOCK_FILE));
  });

  it("of a process whose number was given out again is taken over", { skip: process.platform !== "linux" }, () => {
    const folder = newFolder();
    mkdirSync(folder);
    const stale = { host: hostname(), processId: process.pid, startTicks: "1", since: "2026-01-01T00:00:00Z" };
    writeFileSync(join(folder, LOCK_FILE), JSON.stringify(stale));
    openRunDirectory(optionsOf(folder)).close();
  });

  it("of another host stays, and the message says how to remove it", () => {
    const folder = newFolder();
    mkdirSync(folder);
    const foreign = { host: "elsewhere", processId: 1, startTicks: "1", since: "2026-01-01T00:00:00Z" };
    writeFileSync(join(folder, LOCK_FILE), JSON.stringify(foreign));
    assert.throws(
      () => openRunDirectory(optionsOf(folder)),
      fails("refused", /process 1 on elsewhere .*delete lock\.json/),
    );
  });

  it("of a dead process goes to one of many that start at once", async () => {
    const folder = newFolder();
    mkdirSync(folder);
    const dead = { host: hostname(), processId: 2 ** 22 + 1, startTicks: "1", since: "2026-01-01T00:00:00Z" };
    writeFileSync(join(folder, LOCK_FILE), JSON.stringify(dead));
    const program = `import { acquireLock } from ${lockModule};
      let word = "won";
      try { acquireLock(process.argv[1]); } catch { word = "lost"; }
      console.log(word);
      process.stdin.resume();`;
    const children = [1, 2, 3, 4].map(() => spawn(process.execPath, ["--input-type=module", "-e", program, folder]));
    const words = await Promise.all(
      children.map(async (child) => String((await once(child.stdout, "data"))[0]).trim()),
    );
    assert.deepEqual(words.sort(), ["lost", "lost", "lost", "won"]);
    for (const child of children) child.stdin.end();
    await Promise.all(children.map((child) => child.exitCode ?? once(child, "exit")));
  });
});
