import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";

describe("settled()", () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "isobatch-unsettled-"));
  });
  after(() => rmSync(folder, { recursive: true }));

  /** How a process ends whose program is `command`, which may use what the program uses. */
  const end = (command: string) => {
    const module = (name: string): string => JSON.stringify(new URL(name, import.meta.url).href);
    const script = join(folder, "command.mjs");
    writeFileSync(
      script,
      `import { settled } from ${module("./unsettled.js")};
       import { awaited } from ${module("../../shared/awaited.js")};
       import { acquireLock } from ${module("../../server/record/lock.js")};
       const never = new Promise(() => {});
       await settled((async () => { ${command} })());`,
    );
    return spawnSync(process.execPath, [script], { encoding: "utf8" });
  };
  const acquire = (): string => `acquireLock(${JSON.stringify(folder)});`;

  it("calls a wait that nothing can end a bug, names what is waited for, and gives the lock back", () => {
    const wait = 'await awaited("the run to end", awaited("the shards to end", never));';
    const { status, stderr } = end(`${acquire()} ${wait}`);
    assert.equal(status, 70);
    assert.match(
      stderr,
      /^This is a bug in Isobatch: nothing is left that could end the wait for the shards to end, and for the run to end\. Please report it at https:\S+\n$/,
    );
    assert.equal(existsSync(join(folder, "lock.json")), false);
  });

  it("leaves alone what ends by itself, and what ends the process on purpose", () => {
    const well = end('await awaited("a moment", new Promise((resolve) => setTimeout(resolve, 10)));');
    assert.deepEqual([well.status, well.stderr], [0, ""]);
    const onPurpose = end(
      `${acquire()} setTimeout(() => process.exit(130), 10); await awaited("the run to end", never);`,
    );
    assert.deepEqual([onPurpose.status, onPurpose.stderr], [130, ""]);
    assert.equal(existsSync(join(folder, "lock.json")), false);
  });
});
