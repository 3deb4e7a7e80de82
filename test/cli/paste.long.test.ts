import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { after, before, describe, it } from "node:test";
import { MAIN, openWorkplace, TINY_TASK, untilQuiet, type Workplace } from "./isobatch.test.helper.js";

/** Runs a command in a terminal of 80 columns and forwards what it prints. */
const TERMINAL = `
import fcntl, os, pty, struct, sys, termios
process, screen = pty.fork()
if process == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    os.execvp(sys.argv[1], sys.argv[1:])
while True:
    try:
        text = os.read(screen, 65536)
    except OSError:
        break
    if not text: break
    os.write(1, text)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]))
`;
const hasPython = spawnSync("python3", ["-c", "import os, pty; os.waitstatus_to_exitcode"]).status === 0;

describe("the line with which workers join", { skip: !hasPython && "there is no Python 3.9", timeout: 120_000 }, () => {
  let workplace: Workplace;
  const children: ChildProcess[] = [];
  before(() => {
    workplace = openWorkplace();
    workplace.write("task.json", { ...TINY_TASK, samples: 64_000_000 });
  });
  after(() => {
    for (const child of children) child.kill("SIGKILL");
    workplace.close();
  });

  /** Starts a program in the workplace. `until` resolves with all of its output once that matches. */
  function start(program: string, args: readonly string[], input: string) {
    const env = { ...workplace.environment, TERM: "xterm" };
    const child = spawn(program, args, { cwd: workplace.folder, env, stdio: ["pipe", "pipe", "inherit"] });
    children.push(child);
    child.stdin.end(input);
    let output = "";
    const waiting = new Set<() => void>();
    const ended = new Promise<number | null>((resolve) => child.once("close", (code) => resolve(code)));
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      for (const check of waiting) check();
    });
    const until = (pattern: RegExp) =>
      new Promise<string>((resolve, reject) => {
        const check = (): void => void (pattern.test(output) && resolve(output));
        waiting.add(check);
        check();
        void ended.then(() => reject(new Error(`ended before ${pattern}: ${output}`)));
      });
    return { until, ended };
  }

  it("joins when it is copied from a terminal of 80 columns and pasted into a shell", async () => {
    const serve = [MAIN, "server", "task.json", "--tls", "--listen", "127.0.0.1:0", "--no-http", "--out", "served"];
    const server = start("python3", ["-c", TERMINAL, process.execPath, ...serve], "");
    const printed = await server.until(/workers join with.*worker\s+join\s+127[^\n]*\n/s);
    // Everything is copied: a terminal copies a line that it wrapped itself as one line, and a line break as two.
    const [, copied] = /workers join with\r?\n(.*?worker\s+join\s+\S+)/s.exec(printed)!;
    assert.ok(copied.length > 80, copied);
    const worker = start("sh", [], `${copied.replaceAll("\r", "")} --compute-threads 1\n`);
    const left = worker.ended.then((code) => assert.fail(`the shell ended with ${code} after ${copied}`));
    await Promise.race([server.until(/has joined/), left]);
    left.catch(() => {});

    const stopped = await workplace.run(["stop", "--run", "served"]);
    assert.deepEqual([stopped.code, stopped.stderr], [0, ""]);
    assert.deepEqual([await worker.ended, await server.ended], [0, 0]);
    const again = await workplace.run(["stop", "--run", "served"]);
    assert.deepEqual(
      [again.code, again.stderr],
      [1, "No server runs on served; isobatch run or server starts one there.\n"],
    );
    await untilQuiet(workplace);
  });
});
