/** A run over sockets whose kernel buffers hold far less than its sums and weights. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { after, before, describe, it } from "node:test";
import { openWorkplace, type Workplace } from "./isobatch.test.helper.js";

const BUFFER_BYTES = 65_536;
/** Runs a program in its own network namespace, whose buffers stay that small. */
const IN_SMALL_NETWORK =
  `unshare -n sh -c 'ip link set lo up && ` +
  `sysctl -qw net.ipv4.tcp_rmem="4096 ${BUFFER_BYTES} ${BUFFER_BYTES}" net.ipv4.tcp_wmem="4096 16384 ${BUFFER_BYTES}" && exec "$@"' sh`;
const TIME_MS = 100_000;

/** 2.4 million parameters: 9.5 MB of sums up and of weights down in each step. */
const WIDE_TASK = {
  extends: "mnist",
  model: {
    kind: "sequential",
    layers: [
      { layer: "Flatten", inputShape: [28, 28, 1] },
      { layer: "Dense", units: 3_000, activation: "relu" },
      { layer: "Dense", units: 10 },
    ],
  },
  dataset: { kind: "mnist", limit: 100, testLimit: 10 },
  microBatchSize: 1,
  microBatchesPerStep: 2,
  samples: 20,
};

function unavailability(): string | undefined {
  if (process.getuid?.() !== 0) return "only root can make a network";
  try {
    execFileSync("sh", ["-c", `${IN_SMALL_NETWORK} true`], { stdio: "ignore" });
    return undefined;
  } catch {
    return "a network can't be made here";
  }
}

describe("a run over small kernel buffers", () => {
  let workplace: Workplace;
  before(() => {
    workplace = openWorkplace();
    workplace.write("wide.json", WIDE_TASK);
  });
  after(() => workplace.close());

  it("never stalls, though sums and weights fill them in both directions", {
    skip: unavailability() ?? false,
    timeout: TIME_MS,
  }, async () => {
    const { code, stdout, stderr } = await workplace.shell(
      `${IN_SMALL_NETWORK} "$@" run wide.json --workers 2 --compute-threads 1 --out run`,
    );
    assert.equal(code, 0, stderr);
    assert.match(stdout, /20 in 10 steps/);
    assert.doesNotMatch(stderr, /closed by the other side/);
  });
});
