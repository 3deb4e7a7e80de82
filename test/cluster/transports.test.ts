import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { trainInProcess } from "../../experiment/index.js";
import { ALL } from "../../shared/all-cases.test.helper.js";
import { makeMappingInstallation } from "../../shared/native/file-mapper.test.helper.js";
import { memoryFolderOf } from "../../shared/near/index.js";
import { resolveTask } from "../../tasks/index.js";
import { broken } from "../promises.test.helper.js";
import { withCluster } from "./run-cluster.test.helper.js";

/** Nodes of one leaf and of several from each worker, a tail, weights that are frozen, and 16 chunks. */
const TASK = resolveTask("transports", {
  name: "transports",
  model: {
    kind: "sequential",
    layers: [
      { layer: "Flatten", inputShape: [28, 28, 1] },
      { layer: "Dense", units: 40, trainable: false },
      { layer: "Dense", units: 160 },
      { layer: "BatchNormalization", momentum: 0.9 },
      { layer: "Activation", activation: "relu" },
      { layer: "Dense", units: 160 },
      { layer: "Dense", units: 10 },
    ],
  },
  loss: "softmaxCrossEntropy",
  dataset: { kind: "mnist", limit: 2_000, testLimit: 100 },
  microBatchSize: 8,
  microBatchesPerStep: 7,
  samples: (5 * 7 + 4) * 8,
  evaluationBatchSize: 100,
  learningRate: 1e-2,
});

const installation = makeMappingInstallation();
/** On a tmpfs, where there is one. */
const folder = mkdtempSync(join(memoryFolderOf({}), "isobatch-transports-"));
after(() => {
  installation?.remove();
  rmSync(folder, { recursive: true });
});

const copied = { folder, mapper: undefined, required: true };
const mapped = { folder, mapper: installation?.mapper, required: true };

/** Where a shard's part of the weights does not start with a page, some of it is copied. */
const mapper = installation === undefined ? "copied" : "memory";
const CLUSTERS = [
  { what: "encrypted", memory: mapped, shards: 1, encrypted: true, transports: [mapper, "copied", "wire"] },
  { what: "3 shards that copy", memory: copied, shards: 3, encrypted: false, transports: ["copied", "copied", "wire"] },
  { what: "plain", memory: mapped, shards: 1, encrypted: false, transports: [mapper, "copied", "wire"] },
  { what: "3 shards that map", memory: mapped, shards: 3, encrypted: false, transports: ["copied", "copied", "wire"] },
];

describe("stateHash of a run whose workers' numbers travel", { timeout: 300_000 }, () => {
  let expected = "";
  before(async () => {
    expected = (await trainInProcess(TASK)).stateHash;
  });
  for (const { what, transports, ...cluster } of ALL ? CLUSTERS : CLUSTERS.slice(0, 1)) {
    it(`is the in-process trainer's for one that maps, one that copies and one that uses the wire: ${what}`, async ({
      signal,
    }) => {
      const workersMemory = [mapped, copied, undefined];
      await withCluster({ task: TASK, workers: 3, workersMemory, ...cluster }, async ({ server }) => {
        let shown: (string | undefined)[] = [];
        const unsubscribe = server.metrics.subscribe(0, () => {
          const workers = server.status().workers!;
          if (workers.length === transports.length) shown = workers.map(({ transport }) => transport);
        });
        // So that a stalled run is closed, and its process ends.
        const late = once(signal, "abort").then(() => Promise.reject(signal.reason));
        const { summary } = await Promise.race([server.finished, late]);
        unsubscribe();
        assert.equal(summary.stateHash, expected, broken("sameBits", `Numbers travelled three ways: ${what}.`));
        assert.deepEqual(shown.sort(), transports.sort());
      });
      assert.deepEqual(readdirSync(folder), [], "nothing is left in the memory folder");
    });
  }
});
