// The scripts run in the shells themselves, which must be installed.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { openWorkplace, type Workplace } from "./isobatch.test.helper.js";

const shells = ["bash", "zsh", "fish"] as const;
type Shell = (typeof shells)[number];

const has = (program: string): boolean => spawnSync(program, ["--version"]).error === undefined;

/** What is typed, and its completions: all of them, in any order, or some of them. */
const CASES: readonly (readonly [line: string, candidates: readonly string[], all?: "all"])[] = [
  ["isobatch r", ["run", "runs"], "all"],
  ["isobatch worker ", ["join", "help"]],
  ["isobatch run mnist --s", ["--shards", "--seed", "--set", "--samples", "--steps"], "all"],
  ["isobatch worker join 127.0.0.1:7400 --token", ["--token", "--token-file"], "all"],
  ["isobatch run --backend ", ["tfjs-node-gpu", "tfjs-node", "wasm", "cpu"], "all"],
  ["isobatch export runs --format t", ["tfjs"], "all"],
  ["isobatch run --steps 5 mnist-", ["mnist-cnn"], "all"],
  ["isobatch run tas", ["task one.json"]],
  ["isobatch experiment invariance --preset s", ["standard"], "all"],
  ["isobatch completion ", ["bash", "zsh", "fish"], "all"],
  ["isobatch tensorflow remove --c", ["--cuda"], "all"],
  ["isobatch help exp", ["experiment", "export"], "all"],
];

describe("isobatch completion", () => {
  let workplace: Workplace;
  const scripts = {} as Record<Shell, string>;
  let folder: string;
  before(async () => {
    workplace = openWorkplace();
    folder = mkdtempSync(join(tmpdir(), "isobatch-completion-"));
    mkdirSync(join(folder, "runs"));
    writeFileSync(join(folder, "task one.json"), "{}");
    for (const shell of shells) {
      const { code, stdout, stderr } = await workplace.run(["completion", shell]);
      assert.equal(code, 0, stderr);
      scripts[shell] = workplace.write(`completion.${shell}`, stdout);
    }
  });
  after(() => {
    workplace.close();
    rmSync(folder, { recursive: true });
  });

  const check = (found: readonly string[], line: string, candidates: readonly string[], all: boolean): void => {
    if (all) assert.deepEqual([...found].sort(), [...candidates].sort(), line);
    else for (const candidate of candidates) assert.ok(found.includes(candidate), `${line}: ${found.join(" | ")}`);
  };

  it("completes commands, options, values and files in bash", (test) => {
    if (!has("bash")) return test.skip("bash is not installed");
    const asked = CASES.map(
      ([line]) => `COMP_LINE=${quote(line)} COMP_POINT=${line.length} ask ${line.split(" ").map(quote).join(" ")}`,
    );
    const ask = `ask() { COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)); _isobatch; (IFS="|"; echo "\${COMPREPLY[*]}"); }`;
    const program = [`source ${quote(scripts.bash)}`, "complete -p isobatch", ask, ...asked].join("\n");
    const { stdout, stderr } = spawnSync("bash", ["--norc", "-c", program], { cwd: folder, encoding: "utf8" });
    assert.equal(stderr, "");
    const [registered, ...answers] = stdout.trimEnd().split("\n");
    assert.equal(registered, "complete -F _isobatch isobatch");
    CASES.forEach(([line, candidates, all], i) => {
      check(answers[i].split("|"), line, candidates, all !== undefined);
    });
  });

  it("does the same in fish", (test) => {
    if (!has("fish")) return test.skip("fish is not installed");
    const asked = CASES.map(([line]) => `complete -C ${quote(line)}; echo ====`);
    const program = [`source ${quote(scripts.fish)}`, ...asked].join("\n");
    const { stdout, stderr } = spawnSync("fish", ["--no-config", "-c", program], {
      cwd: folder,
      encoding: "utf8",
      env: { ...process.env, HOME: folder },
    });
    assert.equal(stderr, "");
    const answers = stdout.split("====\n").map((answer) => answer.split("\n").map((line) => line.split("\t")[0]));
    CASES.forEach(([line, candidates, all], i) => {
      const found = answers[i].filter((word) => word !== "").map((word) => word.replaceAll("\\ ", " "));
      // After a command fish offers options and operands together, and files by parts of their names.
      check(found, line, candidates, all !== undefined && !line.includes(" mnist-"));
    });
  });

  it("does the same in zsh when Tab is pressed", { timeout: 60_000 }, async (test) => {
    if (!has("zsh")) return test.skip("zsh is not installed");
    if (!has("script")) return test.skip("script, which gives a terminal, is not installed");
    const typed: [keys: string, expected: RegExp][] = [
      ["isobatch eval\t x", /<evaluate><x>/],
      ["isobatch worker j\t x", /<worker><join><x>/],
      ["isobatch run mnist --ste\t7", /<run><mnist><--steps[=>]/],
      ["isobatch run --backend was\t x", /<run><--backend><wasm><x>/],
      ["isobatch evaluate ru\t", /<evaluate><runs\/?>/],
      ["isobatch run task\t", /<run><task one.json>/],
      ["isobatch tensorflow remove --cu\t", /<tensorflow><remove><--cuda>/],
    ];
    const shell = spawn("script", ["-qec", "zsh -f -i", "/dev/null"], {
      cwd: folder,
      env: { ...process.env, TERM: "dumb" },
    });
    let output = "";
    const until = (pattern: RegExp): Promise<void> =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (!pattern.test(output)) return;
          shell.stdout.off("data", look);
          resolve();
        };
        shell.stdout.on("data", look);
        shell.once("close", () => reject(new Error(`zsh has ended before ${pattern}:\n${output}`)));
        look();
      });
    shell.stdout.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
    const say = (text: string): void => {
      output = "";
      shell.stdin.write(text);
    };
    // The echo of the command must not look like its answer.
    const echo = `isobatch() { print -r -- "<\${(j:><:)@}>" }`;
    say(`PS1="rea""dy> "; autoload -U compinit; compinit -u -D; ${echo}\n`);
    await until(/ready> /);
    say(`source ${quote(scripts.zsh)}; print lo""aded\n`);
    await until(/loaded.*ready> /s);
    for (const [keys, expected] of typed) {
      say(`${keys}\n`);
      await until(expected);
    }
    shell.kill("SIGKILL");
  });

  it("refuses other shells in one sentence", async () => {
    const { code, stderr } = await workplace.run(["completion", "tcsh"]);
    assert.equal(stderr, 'The shell is "tcsh"; it must be one of bash, zsh, fish.\n');
    assert.equal(code, 2);
  });
});

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
