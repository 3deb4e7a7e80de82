/** deploy/kubernetes on a real node: every overlay is applied; pods are deleted, evicted and scaled during runs. */
import assert from "node:assert/strict";
import { chownSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { type Cluster, startCluster } from "./lab/cluster.js";
import { NODE_ADDRESS } from "./lab/cluster-files.js";
import { startEngine } from "./lab/engine.js";
import { openHost, ROOT, until } from "./lab/host.js";
import { type Status, type Summary, undisturbed } from "./lab/training.js";

const MINUTES = 60_000;
const brief = process.env.CI !== undefined;
const OVERLAYS = join(ROOT, "test/deploy/kubernetes");
const NAMESPACE = "isobatch";
const WORKERS = "app.kubernetes.io/component=worker";

interface Pod {
  readonly metadata: { readonly name: string; readonly deletionTimestamp?: string };
  readonly status: {
    readonly phase: string;
    readonly podIP?: string;
    readonly conditions?: readonly { type: string; status: string; message?: string }[];
  };
}

interface Autoscaler {
  readonly status: {
    readonly currentReplicas: number;
    readonly desiredReplicas: number;
    readonly currentMetrics?: readonly unknown[];
  };
}

describe("kubectl apply -k deploy/kubernetes/overlays/…", { timeout: 40 * MINUTES }, () => {
  const host = openHost();
  let cluster: Cluster;
  let expected: Summary;
  let run = "/runs/mnist";
  const kubectl = (...args: string[]): Promise<string> => cluster.kubectl(["--namespace", NAMESPACE, ...args]);
  const pods = async (selector: string): Promise<Pod[]> =>
    (await cluster.get<{ items: Pod[] }>("pods", "--namespace", NAMESPACE, "--selector", selector)).items;
  const inServer = (...command: string[]): Promise<string> =>
    kubectl("exec", "isobatch-server-0", "--container", "server", "--", ...command);
  const status = async (): Promise<Status> =>
    JSON.parse(
      await inServer(
        "isobatch",
        "status",
        "localhost:7400",
        "--json",
        "--run",
        run,
        "--tls-ca",
        "/etc/isobatch/tls/ca.crt",
      ),
    );
  const untilStatus = (what: string, holds: (now: Status) => boolean): Promise<Status> =>
    until(what, 10 * MINUTES, async () => {
      const now = await status();
      return holds(now) && now;
    });
  const untilStep = (step: number): Promise<Status> => untilStatus(`step ${step}`, (now) => now.step >= step);
  const summary = async (): Promise<Summary> =>
    JSON.parse(await until("the summary", MINUTES, () => inServer("cat", "/runs/mnist/summary.json")));

  /** A volume of this node for the server's claim: the cluster has no storage class. */
  async function makeVolume(): Promise<void> {
    const path = join(host.folder, "volume");
    mkdirSync(path);
    chownSync(path, 1_000, 1_000);
    const volume = {
      apiVersion: "v1",
      kind: "PersistentVolume",
      metadata: { name: "runs" },
      spec: {
        capacity: { storage: "10Gi" },
        accessModes: ["ReadWriteOnce"],
        persistentVolumeReclaimPolicy: "Retain",
        hostPath: { path, type: "Directory" },
        claimRef: { namespace: NAMESPACE, name: "runs-isobatch-server-0" },
      },
    };
    await cluster.kubectl(["apply", "--filename", "-"], { input: JSON.stringify(volume) });
  }

  async function apply(overlay: string): Promise<void> {
    const manifests = await cluster.kubectl(["kustomize", join(OVERLAYS, overlay)]);
    const output = await cluster.kubectl(["apply", "--filename", "-"], { input: manifests });
    // For a Deployment, Pod Security reports a violation as a warning.
    assert.doesNotMatch(output, /would violate/i);
  }

  async function scale(replicas: number): Promise<void> {
    await kubectl("scale", "deployment/isobatch-worker", `--replicas=${replicas}`);
  }

  before(async () => {
    const engine = await startEngine(host);
    await engine.docker(["compose", "--project-directory", ROOT, "build"]);
    expected = await undisturbed(host);
    cluster = await startCluster(host, engine);
    for (const name of ["server", "worker"]) {
      await cluster.load(`isobatch-${name}`, `isobatch-${name}:0.1.0`);
    }
    await cluster.script(join(ROOT, "deploy/kubernetes/make-secrets.sh"));
    await makeVolume();
  });
  after(() => host.end());

  it("admits no pod that is not restricted", async () => {
    await assert.rejects(
      kubectl("run", "free", "--image=isobatch-worker:0.1.0", "--restart=Never"),
      /violates PodSecurity "restricted/,
    );
  });

  it("trains through the loss of workers and of the server, and has the undisturbed run's bits", async (test) => {
    await apply("cpu");
    await scale(4);
    await kubectl("rollout", "status", "statefulset/isobatch-server", "--timeout=300s");
    await kubectl("rollout", "status", "deployment/isobatch-worker", "--timeout=300s");
    await untilStatus("four workers", ({ workers }) => workers.length === 4);

    await untilStep(20);
    const [first, second] = await pods(WORKERS);
    await kubectl("delete", "pod", first.metadata.name, "--wait=false");
    await kubectl("delete", "pod", second.metadata.name, "--grace-period=0", "--force", "--wait=false");
    await untilStep(40);
    const startedAt = performance.now();
    await kubectl("delete", "pod", "isobatch-server-0");
    test.diagnostic(`the server's pod was gone after ${((performance.now() - startedAt) / 1_000).toFixed(1)} s`);
    await kubectl("wait", "--for=condition=Ready", "pod/isobatch-server-0", "--timeout=120s").catch(() => {});
    const back = await untilStep(60);
    assert.ok(back.step < back.steps, "the run was over before its server was deleted");
    await scale(2);
    await untilStatus("two workers", ({ workers }) => workers.length === 2);
    const fewer = await untilStep(80);
    assert.ok(fewer.step < fewer.steps, "the run was over before it was scaled");
    await scale(4);
    await kubectl("delete", "pod", "isobatch-server-0", "--grace-period=0", "--force");

    await untilStatus("the end", ({ phase }) => phase === "ended");
    const { stateHash, steps, recomputedSteps, finalEvaluation } = await summary();
    assert.deepEqual([stateHash, steps], [expected.stateHash, expected.steps]);
    test.diagnostic(
      `stateHash ${stateHash}, ${recomputedSteps} steps computed again, accuracy ${finalEvaluation.accuracy}`,
    );
  });

  it("stays when the run has ended, and finds it on the volume when the pod is another", async () => {
    const ids = async (): Promise<string> =>
      kubectl("get", "pod", "isobatch-server-0", "--output", "jsonpath={.metadata.uid}");
    const before = await ids();
    await kubectl("delete", "pod", "isobatch-server-0");
    await until("another pod", 2 * MINUTES, async () => (await ids()) !== before);
    await kubectl("rollout", "status", "statefulset/isobatch-server", "--timeout=120s");
    await untilStatus("the end", ({ phase }) => phase === "ended");
    assert.match(await kubectl("logs", "isobatch-server-0"), /is trained already/);
    assert.equal((await summary()).stateHash, expected.stateHash);
  });

  it("evicts only as many workers as the budget allows", async () => {
    const running = (await pods(WORKERS)).filter(({ metadata }) => metadata.deletionTimestamp === undefined);
    assert.equal(running.length, 4);
    await until("a budget for one", MINUTES, async () => {
      const budget = await cluster.get<{ status: { disruptionsAllowed: number } }>(
        ...["poddisruptionbudget", "isobatch-worker", "--namespace", NAMESPACE],
      );
      return budget.status.disruptionsAllowed === 1;
    });
    const evict = (name: string): Promise<string> =>
      cluster.kubectl(["create", "--raw", `/api/v1/namespaces/${NAMESPACE}/pods/${name}/eviction`, "--filename", "-"], {
        input: JSON.stringify({
          apiVersion: "policy/v1",
          kind: "Eviction",
          metadata: { name, namespace: NAMESPACE },
        }),
      });
    await evict(running[0].metadata.name);
    await assert.rejects(evict(running[1].metadata.name), /disruption budget/);
  });

  /** The next run, on its own volume. */
  async function clear(): Promise<void> {
    await kubectl("delete", "statefulset,deployment,horizontalpodautoscaler", "--all", "--wait");
    await until("no pods", 3 * MINUTES, async () => (await pods("app.kubernetes.io/name=isobatch")).length === 0);
  }

  it("cuda: workers wait for a GPU", { skip: brief && "CI" }, async () => {
    await clear();
    await apply("cuda");
    await until("the scheduler's message", 2 * MINUTES, async () => {
      const found = await pods(WORKERS);
      return (
        found.length === 2 &&
        found.every(({ status: { conditions = [] } }) =>
          conditions.some(
            ({ type, message = "" }) => type === "PodScheduled" && /Insufficient nvidia.com\/gpu/.test(message),
          ),
        )
      );
    });
  });

  it("sharded: four server processes have the same bits", { skip: brief && "CI" }, async () => {
    await clear();
    await apply("sharded");
    await kubectl("exec", "isobatch-server-0", "--", "true").catch(() => {});
    await kubectl("rollout", "status", "statefulset/isobatch-server", "--timeout=300s");
    // The volume holds the previous, complete run; it is removed, and the pod starts from scratch.
    await inServer("sh", "-c", "rm -rf /runs/mnist");
    await kubectl("delete", "pod", "isobatch-server-0");
    await until("four shards", 5 * MINUTES, async () => {
      const now = (await status()) as Status & { shards: readonly unknown[] };
      return now.shards.length === 4 && now.phase !== "ended";
    });
    await untilStep(20);
    await kubectl("delete", "pod", "isobatch-server-0", "--grace-period=0", "--force");
    await untilStatus("the end", ({ phase, step, steps }) => phase === "ended" && step === steps);
    assert.equal((await summary()).stateHash, expected.stateHash);
  });

  it("scales workers as the server advises, and κ follows them", { skip: brief && "CI" }, async (test) => {
    await clear();
    await serveExternalMetrics();
    run = "/runs/elastic";
    await apply("elastic");
    const { podIP } = await until("the server's pod", 5 * MINUTES, async () => {
      const [pod] = await pods("app.kubernetes.io/component=server");
      const ready = pod?.status.conditions?.some(
        (condition) => condition.type === "Ready" && condition.status === "True",
      );
      return ready && pod.status;
    });
    const token = await inServer("cat", "/etc/isobatch/join/token");
    writeFileSync(join(cluster.folder, "server.json"), JSON.stringify({ url: `https://${podIP}:7401/metrics`, token }));

    const scaled = await until("the autoscaler", 10 * MINUTES, async () => {
      const scaler = await cluster.get<Autoscaler>(
        "horizontalpodautoscaler",
        "isobatch-worker",
        "--namespace",
        NAMESPACE,
      );
      const { currentMetrics = [], currentReplicas, desiredReplicas } = scaler.status;
      return currentMetrics.length > 0 && currentReplicas === desiredReplicas && desiredReplicas > 2 && scaler;
    });
    const replicas = scaled.status.desiredReplicas;
    test.diagnostic(`${host.log("adapter").trim().split("\n").at(-1)}; ${replicas} replicas`);
    const now = await untilStatus("κ of as many workers", ({ workers, microBatchesPerStep }) => {
      return workers.length === replicas && microBatchesPerStep === replicas;
    });
    test.diagnostic(`${now.workers.length} workers, κ ${now.microBatchesPerStep} at step ${now.step}`);
  });

  /** Registers the adapter as the API of external metrics. */
  async function serveExternalMetrics(): Promise<void> {
    const port = 4_443;
    const program = join(ROOT, "dist/test/deploy/lab/external-metrics.js");
    writeFileSync(join(cluster.folder, "server.json"), "{}");
    // The server's certificate doesn't name its pod's address.
    const env = { NODE_TLS_REJECT_UNAUTHORIZED: "0" };
    cluster.daemonInside("adapter", process.execPath, [program, cluster.folder, NODE_ADDRESS, String(port)], env);
    const name = "external-metrics";
    const namespace = "kube-system";
    const items = [
      {
        apiVersion: "v1",
        kind: "Service",
        metadata: { name, namespace },
        spec: { ports: [{ name: "https", port: 443, targetPort: port }] },
      },
      {
        apiVersion: "discovery.k8s.io/v1",
        kind: "EndpointSlice",
        metadata: { name, namespace, labels: { "kubernetes.io/service-name": name } },
        addressType: "IPv4",
        endpoints: [{ addresses: [NODE_ADDRESS], conditions: { ready: true } }],
        ports: [{ name: "https", port, protocol: "TCP" }],
      },
      {
        apiVersion: "apiregistration.k8s.io/v1",
        kind: "APIService",
        metadata: { name: "v1beta1.external.metrics.k8s.io" },
        spec: {
          group: "external.metrics.k8s.io",
          version: "v1beta1",
          groupPriorityMinimum: 100,
          versionPriority: 100,
          insecureSkipTLSVerify: true,
          service: { name, namespace },
        },
      },
    ];
    await cluster.kubectl(["apply", "--filename", "-"], {
      input: JSON.stringify({ apiVersion: "v1", kind: "List", items }),
    });
  }
});
