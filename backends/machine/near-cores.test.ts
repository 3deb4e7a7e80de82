import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { makeMappingInstallation } from "../../shared/native/file-mapper.test.helper.js";
import { coresOf, coresText, keepTo, nearCores } from "./near-cores.js";

const ADDRESS = "0000:b1:00.0";
const place = mkdtempSync(join(tmpdir(), "isobatch-near-"));
after(() => rmSync(place, { recursive: true }));

/** The system's files of a machine whose GPU is on this memory node, near these cores. */
function machine(node: string, near: string, allowed: string) {
  const folder = mkdtempSync(join(place, "machine-"));
  const device = join(folder, ADDRESS);
  mkdirSync(device);
  writeFileSync(join(device, "numa_node"), `${node}\n`);
  writeFileSync(join(device, "local_cpulist"), `${near}\n`);
  const status = join(folder, "status");
  writeFileSync(status, `Name:\tnode\nCpus_allowed:\tff\nCpus_allowed_list:\t${allowed}\nMems_allowed_list:\t0-1\n`);
  return { devices: folder, status };
}

const near = (node: string, cores: string, allowed: string): string | undefined => {
  const found = nearCores(ADDRESS.toUpperCase(), machine(node, cores, allowed));
  return found && coresText(found);
};

describe("nearCores()", () => {
  it("are those of the GPU's memory node, with the second threads of each", () => {
    assert.equal(near("1", "16-31,48-63", "0-63"), "16-31,48-63");
  });

  it("are among those that the process may use", () => {
    assert.equal(near("1", "16-31,48-63", "0-3,20-23,63"), "20-23,63");
    assert.equal(near("1", "16-31,48-63", "0-15"), undefined, "none of them is near");
    assert.equal(near("1", "16-31,48-63", "20-23"), undefined, "all of them are near");
  });

  it("are undefined where cores are not divided, or the system does not say how", () => {
    assert.equal(near("0", "0-63", "0-63"), undefined);
    assert.equal(near("-1", "0-63", "0-63"), undefined);
    assert.equal(near("-1", "0-15", "0-63"), undefined);
    assert.equal(near("0", "", "0-63"), undefined);
    assert.equal(nearCores(ADDRESS, { devices: join(place, "none"), status: join(place, "none") }), undefined);
  });
});

describe("coresOf()", () => {
  it("reads the system's lists", () => {
    assert.deepEqual(coresOf("0-3,8,10-11\n"), [0, 1, 2, 3, 8, 10, 11]);
    assert.deepEqual(coresOf("\n"), []);
  });
});

describe("keepTo()", () => {
  it("says what the worker keeps to, or why it does not", () => {
    const asked: (readonly number[])[] = [];
    const pin = (cores: readonly number[]): undefined => void asked.push(cores);
    assert.equal(keepTo([4, 5, 6, 9], 1, pin), "the worker keeps to the cores near its GPU, 4-6,9");
    assert.deepEqual(asked, [[4, 5, 6, 9]]);
    const not = "the worker does not keep to the cores near its GPU, 4";
    assert.equal(keepTo([4], 1, pin), `${not}: it needs 2, one for itself and one per compute thread`);
    assert.equal(
      keepTo([4], 0, () => "Invalid argument"),
      `${not}: Invalid argument`,
    );
    assert.equal(keepTo([4], 0, undefined), `${not}; isobatch tensorflow install --cuda compiles what this needs`);
    assert.equal(asked.length, 1);
  });

  const linux = process.platform === "linux" ? makeMappingInstallation() : undefined;
  after(() => linux?.remove());
  it("moves every thread of the process, also those that run already", { skip: linux === undefined }, () => {
    const program = `
      const { readdirSync, readFileSync } = require("node:fs");
      const { Worker } = require("node:worker_threads");
      const addon = require(${JSON.stringify(linux!.addon)});
      const allowed = (task) => /Cpus_allowed_list:\\s*(\\S+)/.exec(readFileSync("/proc/self/task/" + task + "/status", "utf8"))[1];
      const all = () => [...new Set(readdirSync("/proc/self/task").map(allowed))];
      const refused = addon.pin([40000]);
      const [first] = all()[0].split(/[-,]/).map(Number);
      const said = addon.pin([first]);
      const before = all();
      new Worker("setTimeout(() => {}, 1e9)", { eval: true }).once("online", () => {
        console.log(JSON.stringify({ refused, said: said ?? null, first: String(first), before, after: all() }));
        process.exit(0);
      });`;
    const file = join(place, "pin.cjs");
    writeFileSync(file, program);
    const answer = JSON.parse(execFileSync(process.execPath, [file], { encoding: "utf8" }));
    const { first } = answer;
    assert.deepEqual(answer, { refused: "Invalid argument", said: null, first, before: [first], after: [first] });
    const blocked = join(place, "blocked.cjs");
    writeFileSync(
      blocked,
      `
      const { openSync, writeSync } = require("node:fs");
      const addon = require(${JSON.stringify(linux!.addon)});
      for (;;) try { openSync("/dev/null") } catch { break }
      writeSync(1, String(addon.pin([${first}])));`,
    );
    const few = ["-c", 'ulimit -n 64 && exec "$@"', "sh", process.execPath, blocked];
    assert.equal(execFileSync("sh", few, { encoding: "utf8" }), "Too many open files");
    const addon = createRequire(import.meta.url)(linux!.addon) as { pin(cores: unknown): unknown };
    assert.throws(() => addon.pin([-1]), /a core is a number from 0 to 65535/);
  });
});
