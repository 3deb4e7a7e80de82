/** docker-compose.yml as shipped, on a real engine; workers and the server are killed during the run. */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { type Engine, startEngine } from "./lab/engine.js";
import { InVain, openHost, ROOT, until } from "./lab/host.js";
import { type Status, type Summary, undisturbed } from "./lab/training.js";

const MINUTES = 60_000;

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" ? (address?.port ?? 0) : 0));
    });
  });
}

describe("docker compose up --scale worker=4", { timeout: 25 * MINUTES }, () => {
  const host = openHost();
  let engine: Engine;
  let env: Record<string, string>;
  const compose = (...args: string[]): Promise<string> =>
    engine.docker(["compose", "--project-directory", ROOT, "--project-name", "isobatch-test", ...args], { env });
  const status = async (): Promise<Status> =>
    JSON.parse(
      await compose(
        "exec",
        "--no-TTY",
        "server",
        "isobatch",
        "status",
        "localhost:7400",
        "--json",
        "--run",
        "/runs/short",
      ),
    );
  const untilStep = (step: number): Promise<Status> =>
    until(`step ${step}`, 10 * MINUTES, async () => {
      const now = await status().catch(async (error: unknown) => {
        const [server] = await inspect(await containers("server"));
        const isOver = server?.State.Status === "exited" && server.State.ExitCode === 0;
        if (isOver) throw new InVain(`the run was over before step ${step} was seen`);
        throw error;
      });
      return now.step >= step && now;
    });
  const containers = async (service: string): Promise<string[]> =>
    (await compose("ps", "--all", "--quiet", service)).trim().split("\n");
  const inspect = async (ids: readonly string[]) =>
    JSON.parse(await engine.docker(["inspect", ...ids])) as {
      State: { Status: string; ExitCode: number };
      Config: { User: string };
      HostConfig: { ReadonlyRootfs: boolean; CapDrop: string[] };
      RestartCount: number;
    }[];
  const summary = async (): Promise<Summary> => {
    mkdirSync(join(host.folder, "copied"), { recursive: true });
    await compose("cp", "server:/runs/short/summary.json", join(host.folder, "copied/summary.json"));
    return JSON.parse(readFileSync(join(host.folder, "copied/summary.json"), "utf8"));
  };

  before(async () => {
    engine = await startEngine(host);
    env = {
      ISOBATCH_TASKS: join(ROOT, "test/deploy/kubernetes/small"),
      ISOBATCH_TASK: "/tasks/task.json",
      ISOBATCH_RUN: "short",
      ISOBATCH_PORT: String(await freePort()),
      ISOBATCH_HTTP_PORT: String(await freePort()),
    };
    host.atEnd("compose down", () => compose("down", "--volumes", "--timeout", "5"));
  });
  after(() => host.end());

  it("trains through kills of two workers and of the server, and has the undisturbed run's bits", async (test) => {
    const expected = await undisturbed(host);
    await compose("up", "--detach", "--build", "--scale", "worker=4");
    await until("four workers", 2 * MINUTES, async () => (await status()).workers.length === 4);
    const [server] = await containers("server");
    const workers = await containers("worker");
    for (const { Config, HostConfig } of await inspect([server, ...workers])) {
      assert.equal(Config.User, "1000:1000");
      assert.equal(HostConfig.ReadonlyRootfs, true);
      assert.deepEqual(HostConfig.CapDrop, ["ALL"]);
    }

    await untilStep(20);
    await engine.docker(["kill", ...workers.slice(0, 2)]);
    const survivors = await untilStep(40);
    assert.ok(survivors.step < survivors.steps, "the run was over before it was disturbed");

    await compose("kill", "server");
    await compose("up", "--detach", "--scale", "worker=4");
    await untilStep(80);
    await compose("restart", "server");
    const back = await untilStep(100);
    assert.ok(back.step < back.steps, "the run was over before its server was restarted");

    await until("the end", 10 * MINUTES, async () => {
      const states = (await inspect([server, ...workers])).map(({ State }) => State);
      return states.every(({ Status }) => Status === "exited") && states;
    });
    for (const { State } of await inspect([server, ...workers])) assert.equal(State.ExitCode, 0);
    const { stateHash, steps, recomputedSteps, finalEvaluation } = await summary();
    assert.deepEqual([stateHash, steps], [expected.stateHash, expected.steps]);
    test.diagnostic(
      `stateHash ${stateHash}, ${recomputedSteps} steps computed again, accuracy ${finalEvaluation.accuracy}`,
    );
    const sizes = await engine.docker(["images", "--format", "{{.Repository}} {{.Size}}"]);
    test.diagnostic(sizes.trim().split("\n").join("; "));
  });

  it("keeps the run in its volume when the containers are gone", async () => {
    await compose("down", "--timeout", "5");
    const output = await compose("up", "--no-log-prefix", "--exit-code-from", "server", "server");
    assert.match(output, /is trained already/);
  });
});
