/** A run with TLS, two shards and two tokens, as a user runs it: in separate processes, and with all that it leaves behind. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { parseToken } from "../../shared/credentials/index.js";
import { openWorkplace, type Running, TINY_TASK, type Workplace } from "../cli/isobatch.test.helper.js";

const LIMIT = { timeout: 120_000 };
const LOUD = { ISOBATCH_LOG: "debug" };

describe("a run with TLS and tokens", LIMIT, () => {
  let workplace: Workplace;
  /** The output of everything that was started here. */
  const printed: { stdout: string; stderr: string }[] = [];
  const secrets: string[] = [];

  before(() => {
    workplace = openWorkplace();
    // Long, and with evaluations and checkpoints so rare that it mostly takes steps.
    workplace.write("endless.json", {
      ...TINY_TASK,
      samples: 64_000_000,
      checkpointEverySamples: 1_280,
      evaluateEverySamples: 640_000,
    });
  });
  after(() => workplace.close());

  const start = (args: string[], env: Record<string, string> = {}): Running => {
    const running = workplace.start(args, { ...LOUD, ...env });
    printed.push(running.output);
    return running;
  };
  const serve = (): Running =>
    start(["server", "endless.json", "--listen", "127.0.0.1:0", "--tls", "--shards", "2", "--no-http", "--out", "run"]);
  const say = async (...args: string[]): Promise<string> => {
    const running = start(args);
    const { code, stdout, stderr } = await running.ended;
    assert.equal(code, 0, stderr);
    return stdout;
  };

  it("admits two workers by two tokens, cuts off the one whose token is revoked, and continues training", async () => {
    const server = serve();
    await server.until(/ISOBATCH_TOKEN=\S+ .* worker join \S+\n/);
    const [, joinToken, address] = /ISOBATCH_TOKEN=(\S+) .* worker join (\S+)/.exec(server.output.stdout)!;
    assert.match(joinToken, /^isobatch_[\w-]{43}\.[\w-]{43}$/);
    const guestToken = (await say("token", "create", "--run", "run", "--name", "guest", "--expires", "1h")).trim();
    const adminToken = readFileSync(join(workplace.folder, "run/security/admin-token"), "utf8").trim();
    secrets.push(...[joinToken, guestToken, adminToken].map((token) => parseToken(token).secret));

    const join_ = ["worker", "join", address, "--compute-threads", "1", "--backend", "wasm"];
    const regular = start(join_, { ISOBATCH_TOKEN: joinToken });
    const guest = start([...join_, "--token-file", workplace.write("guest.token", guestToken)]);
    await server.until(/(worker \S+ has joined[\s\S]*){2}/);
    await server.until(/checkpoint of step \d+ written/);
    if (process.platform === "linux") {
      const lines = workplace.processes().map((pid) => readFileSync(`/proc/${pid}/cmdline`, "utf8"));
      assert.ok(lines.length >= 4, "the server, its further shard and both workers");
      for (const line of lines) for (const secret of secrets) assert.ok(!line.includes(secret), line);
    }

    const listed = await say("token", "list", address, "--run", "run", "--json");
    const used = (JSON.parse(listed) as { name: string; lastUsedMs?: number }[]).filter(({ lastUsedMs }) => lastUsedMs);
    assert.deepEqual(used.map(({ name }) => name).sort(), ["admin", "guest", "join"]);
    await say("token", "revoke", "guest", address, "--run", "run");
    const { code, stderr } = await guest.ended;
    assert.equal(code, 1);
    assert.match(stderr, /\nThe token "guest" has been revoked: ask for a new one\.\n$/);

    const stepOf = async (): Promise<number> => JSON.parse(await say("status", address, "--run", "run", "--json")).step;
    const step = await stepOf();
    while ((await stepOf()) === step) await new Promise((resolve) => setTimeout(resolve, 50));
    assert.match(await say("stop", address, "--run", "run"), /^The run ends after this step/);
    assert.equal((await server.ended).code, 0);
    assert.equal((await regular.ended).code, 0);
  });

  it("accepts and refuses the same tokens after a restart, and no longer shows its token", async () => {
    const server = serve();
    await server.until(/ISOBATCH_TOKEN=\$\(cat \S+token\) .* worker join \S+\n/);
    const address = / worker join (\S+)\n/.exec(server.output.stdout)![1];
    const file = join(workplace.folder, "run", "token");
    assert.match(await say("status", address, "--token-file", file), /^task +endless/);
    const revoked = await start(["status", address, "--token-file", join(workplace.folder, "guest.token")]).ended;
    assert.match(revoked.stderr, /The token "guest" has been revoked/);
    server.kill("SIGTERM");
    assert.equal((await server.ended).code, 0);
  });

  it("has left secrets only where it said so, in what it printed, logged and wrote", () => {
    assert.equal(secrets.length, 3);
    const shown = printed.map(({ stdout }) => stdout).join("");
    for (const secret of secrets.slice(0, 2)) assert.equal(shown.split(secret).length, 2, "shown once");
    assert.ok(!shown.includes(secrets[2]));
    for (const { stderr } of printed) for (const secret of secrets) assert.ok(!stderr.includes(secret), stderr);
    const run = join(workplace.folder, "run");
    const keepers = ["token", join("security", "admin-token")];
    for (const name of readdirSync(run, { recursive: true }) as string[]) {
      const stats = statSync(join(run, name));
      if (stats.isDirectory()) continue;
      const holds = secrets.some((secret) => readFileSync(join(run, name)).includes(secret));
      assert.equal(holds, keepers.includes(name), name);
      if (holds || name.endsWith(".key")) assert.equal(stats.mode & 0o777, 0o600, name);
    }
  });

  it("leaves no process behind", () => assert.deepEqual(workplace.processes(), []));
});
