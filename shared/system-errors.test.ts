import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import {
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  ftruncateSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { constants as systemConstants, tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { getSystemErrorMap } from "node:util";
import { Worker } from "node:worker_threads";
import { IsobatchError } from "./errors.js";
import { reasonOf, SYSTEM_ERRORS, systemError } from "./system-errors.js";

/** "not here": this machine, or this user, can't be made to answer so. */
type Provocation = () => unknown | "not here" | Promise<unknown | "not here">;

let folder: string;
before(() => {
  folder = mkdtempSync(join(tmpdir(), "isobatch-errors-"));
});
after(() => rmSync(folder, { recursive: true, force: true }));

const isRoot = process.getuid?.() === 0;
const isLinux = process.platform === "linux";
const NOBODY = 65_534;
const at = (name: string): string => join(folder, name);

function thrownBy(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  return "not here";
}

/** What `code` throws in a separate process, for limits that could not be lifted in this one. */
function thrownInProcess(code: string, { limits = "", nobody = false } = {}): unknown {
  const program = `
    const fs = require("node:fs"), { execFileSync, spawn } = require("node:child_process"), { Worker } = require("node:worker_threads");
    const tell = ({ message, code, errno, syscall, path }) => { console.log(JSON.stringify({ message, code, errno, syscall, path })); process.exit(); };
    (async () => { ${code} })().catch(tell);`;
  const user = nobody && isRoot ? { uid: NOBODY, gid: NOBODY } : {};
  const { stdout } = spawnSync("sh", ["-c", `${limits} exec "$0" -e "$1"`, process.execPath, program], {
    encoding: "utf8",
    cwd: "/",
    ...user,
  });
  if (stdout === "") return "not here";
  const { message, ...fields } = JSON.parse(stdout) as { message: string };
  return Object.assign(new Error(message), fields);
}

function makePipe(path: string): string {
  execFileSync("mkfifo", [path]);
  return path;
}

const FEW_PROCESSES = 'execFileSync("prlimit", ["--pid", String(process.pid), "--nproc=1:1"]);';

/** A real one for each row that a machine can be made to answer with. */
const PROVOCATIONS: Readonly<Record<string, Provocation>> = {
  ENOSPC: () => (isLinux ? thrownBy(() => writeFileSync("/dev/full", "x")) : "not here"),
  EFBIG: () =>
    thrownInProcess(`fs.writeFileSync(${JSON.stringify(at("big"))}, Buffer.alloc(100_000))`, {
      limits: "ulimit -f 8;",
    }),
  EMFILE: () => thrownInProcess('for (;;) fs.openSync("/", "r")', { limits: "ulimit -n 40;" }),
  EAGAIN: () =>
    thrownInProcess(`${FEW_PROCESSES} await new Promise((_, no) => spawn("true").on("error", no))`, { nobody: true }),
  ERR_WORKER_INIT_FAILED: () =>
    thrownInProcess(`${FEW_PROCESSES} await new Promise((_, no) => new Worker("1", { eval: true }).on("error", no))`, {
      nobody: true,
    }),
  async ERR_WORKER_OUT_OF_MEMORY() {
    const greedy = "const all = []; for (;;) all.push(new Array(10_000).fill({}));";
    const worker = new Worker(greedy, { eval: true, resourceLimits: { maxOldGenerationSizeMb: 8 } });
    return new Promise((resolve) => worker.once("error", resolve));
  },
  ERR_FS_FILE_TOO_LARGE() {
    const file = openSync(at("sparse"), "w");
    ftruncateSync(file, 2 ** 31 + 1);
    closeSync(file);
    return thrownBy(() => readFileSync(at("sparse")));
  },
  EACCES() {
    mkdirSync(at("closed"));
    chmodSync(at("closed"), 0);
    return thrownInProcess(`fs.readdirSync(${JSON.stringify(at("closed"))})`, { nobody: true });
  },
  EPERM: () => thrownBy(() => linkSync(folder, at("folder's second name"))),
  EROFS() {
    mkdirSync(at("read-only"));
    const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "ro", "tmpfs", at("read-only")]);
    if (mounted.status !== 0) return "not here";
    const thrown = thrownBy(() => writeFileSync(join(at("read-only"), "x"), ""));
    execFileSync("umount", [at("read-only")]);
    return thrown;
  },
  ENOENT: () => thrownBy(() => readFileSync(at("nothing"))),
  ENOTDIR() {
    writeFileSync(at("file"), "");
    return thrownBy(() => readFileSync(join(at("file"), "x")));
  },
  EISDIR: () => thrownBy(() => readFileSync(folder)),
  ERR_FS_EISDIR: () => thrownBy(() => rmSync(folder)),
  EEXIST: () => thrownBy(() => mkdirSync(folder)),
  ENOTEMPTY() {
    mkdirSync(join(at("filled"), "x"), { recursive: true });
    return thrownBy(() => rmdirSync(at("filled")));
  },
  ENAMETOOLONG: () => thrownBy(() => writeFileSync(at("x".repeat(300)), "")),
  ELOOP() {
    symlinkSync(at("loop"), at("loop"));
    return thrownBy(() => readFileSync(at("loop")));
  },
  ENXIO: () => thrownBy(() => openSync(makePipe(at("pipe")), constants.O_WRONLY | constants.O_NONBLOCK)),
  ESPIPE() {
    const file = openSync(makePipe(at("pipe to seek in")), constants.O_RDWR);
    return thrownBy(() => readSync(file, Buffer.alloc(1), 0, 1, 5));
  },
  EINVAL: () => thrownBy(() => renameSync(folder, at("itself"))),
  EXDEV() {
    writeFileSync(at("here"), "");
    const elsewhere = "/dev/shm";
    if (!isLinux || statSync(elsewhere).dev === statSync(folder).dev) return "not here";
    return thrownBy(() => renameSync(at("here"), join(elsewhere, `isobatch-${process.pid}`)));
  },
  // A mount point can't be removed by any user.
  EBUSY: () => (isLinux && isRoot ? thrownBy(() => rmdirSync("/proc")) : "not here"),
  async ETXTBSY() {
    if (!isLinux) return "not here";
    copyFileSync("/bin/sleep", at("sleep"));
    const running = spawn(at("sleep"), ["60"]);
    await new Promise((resolve) => running.once("spawn", resolve));
    const thrown = thrownBy(() => openSync(at("sleep"), "r+"));
    running.kill("SIGKILL");
    await new Promise((resolve) => running.once("close", resolve));
    return thrown;
  },
  EIO: () =>
    isLinux ? thrownBy(() => readSync(openSync("/proc/self/mem", "r"), Buffer.alloc(1), 0, 1, 0)) : "not here",
};

/** As Node would throw it; the numbers that libuv has no name for are given as numbers. */
function madeUp(name: string): unknown {
  if (name.startsWith("ERR_")) return Object.assign(new Error(name), { code: name });
  const numbers: Readonly<Record<string, number>> = { ...systemConstants.errno, EUCLEAN: 117 };
  const known = [...getSystemErrorMap()].find(([, [code]]) => code === name)?.[0];
  const errno = known ?? -numbers[name];
  const code = getSystemErrorMap().get(errno)?.[0] ?? `Unknown system error ${errno}`;
  const fields = { code, errno, syscall: "open", path: "/runs/a" };
  return Object.assign(new Error(`${code}: …, open '/runs/a'`), fields);
}

describe("systemError()", () => {
  for (const [name, { code, what, advice }] of Object.entries(SYSTEM_ERRORS)) {
    it(`has a sentence for ${name}`, async (t) => {
      const real = await (PROVOCATIONS[name]?.() ?? "not here");
      if (real === "not here") t.diagnostic("synthetic: this machine does not give this error");
      const told = systemError(real === "not here" ? madeUp(name) : real, "write /runs/a/task.json");
      assert.ok(told instanceof IsobatchError, `${name}: ${JSON.stringify(real)}`);
      // Two names of one number are one row twice.
      assert.equal(told.message, `Can't write /runs/a/task.json: ${what}. ${advice}`);
      assert.equal(told.code, code);
    });
  }

  it("is provoked for real, where this machine can", () => {
    const unknown = Object.keys(PROVOCATIONS).filter((name) => !Object.hasOwn(SYSTEM_ERRORS, name));
    assert.deepEqual(unknown, []);
    assert.ok(Object.keys(PROVOCATIONS).length >= 22);
  });

  it("takes what was done from the system's error, when the caller does not say it", () => {
    const message = (act: () => unknown): string => (systemError(thrownBy(act)) as Error).message;
    assert.match(
      message(() => mkdirSync(folder)),
      /^Can't make the folder \/.*: something with that name already exists/,
    );
    assert.match(
      message(() => renameSync("/no/a", "/no/b")),
      /^Can't rename \/no\/a to \/no\/b: there is no such/,
    );
    const { error } = spawnSync("/no/program");
    assert.match(
      (systemError(error) as Error).message,
      /^Can't start \/no\/program: there is no such file or folder\./,
    );
  });

  it("says that the working directory is gone", () => {
    const gone = at("gone");
    mkdirSync(gone);
    const code = `process.chdir(${JSON.stringify(gone)}); fs.rmdirSync(${JSON.stringify(gone)}); process.cwd()`;
    const told = systemError(thrownInProcess(code)) as Error;
    assert.match(told.message, /^Can't find the working directory: it has been removed\. Change to another folder/);
  });

  it("leaves bugs, sockets and what is a sentence already as they are", () => {
    const others = [
      thrownBy(() => closeSync(999_999)),
      new TypeError("x is undefined"),
      Object.assign(new Error("listen EACCES"), { code: "EACCES", syscall: "listen" }),
      new IsobatchError("refused", "No."),
      "a string",
      undefined,
    ];
    for (const other of others) assert.equal(systemError(other), other);
  });
});

describe("reasonOf()", () => {
  it("is the rest of a sentence, or the message of any other error", () => {
    assert.equal(reasonOf(madeUp("EROFS")), "the file system is read-only");
    assert.equal(reasonOf(new Error("x is undefined")), "x is undefined");
  });
});
