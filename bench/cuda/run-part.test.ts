import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { runPart } from "./run-part.js";

describe("runPart()", () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "isobatch-part-"));
  });
  after(() => rmSync(folder, { recursive: true }));

  const run = (source: string, limitSeconds = 60) => {
    const program = join(folder, "part.mjs");
    writeFileSync(program, source);
    return runPart({ args: [folder], limitSeconds, program });
  };

  it("keeps what a part has found, and leaves out what its libraries print", async () => {
    const { ok, rows, failures, absent } = await run(`
      console.log('{"row":{"model":"mlp"}}');
      console.log("a library's line");
      console.log('{"absent":"There is no PyTorch."}');
    `);
    assert.deepEqual(
      { ok, rows, failures, absent },
      { ok: true, rows: [{ model: "mlp" }], failures: [], absent: ["There is no PyTorch."] },
    );
  });

  it("leaves out a line that was cut off", async () => {
    const { ok, rows } = await run(`process.stdout.write('{"row":{"model":"mlp"}}\\n{"row":{"mod')`);
    assert.deepEqual({ ok, rows }, { ok: true, rows: [{ model: "mlp" }] });
  });

  it("kills a part that does not end, with what it has started, and keeps what it had found", async () => {
    const { ok, rows, failures } = await run(
      `
        import { spawn } from "node:child_process";
        import { writeFileSync } from "node:fs";
        const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { stdio: "inherit" });
        writeFileSync(process.argv[2] + "/pid", String(child.pid));
        console.log('{"row":{"model":"mlp"}}');
        for (;;);
      `,
      1,
    );
    assert.deepEqual({ ok, rows }, { ok: false, rows: [{ model: "mlp" }] });
    assert.deepEqual(failures, ["It did not end within 1 s, and was killed."]);
    await gone(Number(readFileSync(join(folder, "pid"), "utf8")));
  });

  it("kills what a part that has ended leaves running", async () => {
    const { ok } = await run(`
      import { spawn } from "node:child_process";
      import { writeFileSync } from "node:fs";
      const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { stdio: "inherit" });
      writeFileSync(process.argv[2] + "/pid", String(child.pid));
      console.log('{"row":{}}');
      process.exit(0);
    `);
    assert.equal(ok, true);
    await gone(Number(readFileSync(join(folder, "pid"), "utf8")));
  });

  it("says why a part ended badly", async () => {
    const { ok, failures } = await run('console.error("out of memory"); process.exit(3);');
    assert.deepEqual({ ok, failures }, { ok: false, failures: ["It ended with exit code 3 (out of memory)."] });
  });

  it("does not call a part right that has found nothing", async () => {
    const { ok, failures } = await run("");
    assert.deepEqual({ ok, failures }, { ok: false, failures: ["It has found nothing."] });
  });
});

/** Resolves once there is no such process. */
async function gone(pid: number): Promise<void> {
  for (let tries = 0; tries < 1000; tries++) {
    try {
      process.kill(pid, 0);
    } catch {
      return;
    }
    await wait(10);
  }
  assert.fail(`process ${pid} is still there`);
}
