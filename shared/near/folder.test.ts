import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { lengthenFile, makeFile } from "./files.js";
import { foreignFolder, makeOwnFolder, memoryFolderOf, removeStaleFolders } from "./folder.js";
import { isProof, leaveSecret, proofOf, readSecret } from "./proof.js";

const root = mkdtempSync(join(tmpdir(), "isobatch-near-"));
after(() => rmSync(root, { recursive: true, force: true }));

/** The time limit of a process that should have ended long before. */
const LIMIT = { timeout: 30_000, killSignal: "SIGKILL" } as const;

/** A process with its own folder; resolves when that exists. */
async function startHolder(): Promise<{ process: ChildProcess; name: string; exited: Promise<unknown> }> {
  const module = JSON.stringify(new URL("./folder.js", import.meta.url).href);
  const code = `
    import(${module}).then(({ makeOwnFolder }) => makeOwnFolder(process.argv[1])).then(({ name }) => console.log(name));
    process.stdin.on("end", () => process.exit(0)).resume();`;
  const holder = spawn(process.execPath, ["-e", code, root], { ...LIMIT, stdio: ["pipe", "pipe", "inherit"] });
  const exited = new Promise((resolve) => holder.once("exit", resolve));
  const name = await new Promise<string>((resolve) =>
    holder.stdout.once("data", (text) => resolve(String(text).trim())),
  );
  return { process: holder, name, exited };
}

describe("a process's own folder of memory", { timeout: 60_000 }, () => {
  it("is only for its user, found by its name, and removed when it is closed", async () => {
    const own = await makeOwnFolder(root);
    assert.equal(statSync(own.path).mode & 0o777, 0o700);
    assert.deepEqual(foreignFolder(root, own.name), { path: own.path });
    own.close();
    assert.ok(!existsSync(own.path));
  });

  it("goes with its process, and stays while that lives, also if it does not answer", async () => {
    const [ending, stopped, killed] = await Promise.all([startHolder(), startHolder(), startHolder()]);
    ending.process.stdin!.end();
    await ending.exited;
    assert.ok(!existsSync(join(root, ending.name)), "of a process that has ended");
    stopped.process.kill("SIGSTOP");
    killed.process.kill("SIGKILL");
    await killed.exited;
    assert.ok(existsSync(join(root, killed.name)));
    await removeStaleFolders(root);
    assert.ok(!existsSync(join(root, killed.name)), "of a process that was killed");
    assert.ok(existsSync(join(root, stopped.name)), "of a process that lives");
    stopped.process.kill("SIGKILL");
    await stopped.exited;
    const own = await makeOwnFolder(root);
    assert.ok(!existsSync(join(root, stopped.name)), "of one killed before the next made its own");
    own.close();
  });

  it("is left alone while it is being made, and removed when that was long ago", async () => {
    const path = join(root, "isobatch-00112233445566aa");
    mkdirSync(path, { mode: 0o700 });
    await removeStaleFolders(root);
    assert.ok(existsSync(path));
    utimesSync(path, 1, 1);
    await removeStaleFolders(root);
    assert.ok(!existsSync(path));
  });

  it("is not taken for another process's if its name, its kind or its permissions are not right", () => {
    const name = "isobatch-00112233445566bb";
    const path = join(root, name);
    const reason = (): string => (foreignFolder(root, name) as { reason: string }).reason;
    assert.match(reason(), /does not exist/);
    mkdirSync(path);
    chmodSync(path, 0o755);
    assert.match(reason(), /not this user's own/);
    rmSync(path, { recursive: true });
    symlinkSync("/", path);
    assert.match(reason(), /not this user's own/);
    rmSync(path);
    for (const foreign of ["", "..", "../x", "isobatch-00112233445566bb/..", "isobatch-00112233445566BB"]) {
      assert.match((foreignFolder(root, foreign) as { reason: string }).reason, /names no folder/, foreign);
    }
  });
});

describe("the memory folder", () => {
  it("is the one in ISOBATCH_MEMORY, /dev/shm, or the temporary one where that is missing", () => {
    assert.equal(memoryFolderOf({ ISOBATCH_MEMORY: "/somewhere" }, "linux"), "/somewhere");
    assert.equal(memoryFolderOf({}, "linux"), "/dev/shm");
    assert.equal(memoryFolderOf({}, "darwin"), tmpdir());
  });

  it("is never filled up: a file that has no room in it is not made", () => {
    const path = join(root, "huge");
    assert.throws(() => makeFile(root, path, 2 ** 50), /has no room for 1073741824 MiB more \(\d+ MiB are free/);
    assert.ok(!existsSync(path));
    const file = makeFile(root, path, 10);
    assert.throws(() => lengthenFile(root, file, 10, 2 ** 50), /has no room/);
    assert.equal(statSync(path).size, 10);
    assert.ok(readdirSync(root).includes("huge"));
  });
});

describe("the proof of one machine", () => {
  it("is given by any process that can read the secret, for one worker of one run", () => {
    const folder = mkdtempSync(join(root, "proof-"));
    const secret = leaveSecret(folder);
    const claims = { runId: "run", workerId: "a" };
    const proof = proofOf(readSecret(folder), claims);
    assert.ok(isProof(proof, secret, claims));
    assert.ok(!isProof(proof, secret, { ...claims, workerId: "b" }));
    assert.ok(!isProof(proof, secret, { ...claims, runId: "other" }));
    assert.ok(!isProof(new Uint8Array(0), secret, claims));
    assert.equal(statSync(join(folder, "secret")).mode & 0o777, 0o400);
  });

  it("can't be given where the secret is cut off", () => {
    const folder = mkdtempSync(join(root, "proof-"));
    writeFileSync(join(folder, "secret"), "short");
    assert.throws(() => readSecret(folder), /5 bytes where 32 are needed/);
  });
});
