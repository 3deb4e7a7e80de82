/**
 * Checks deploy/kubernetes strictly against the schemas of the API, and for what no schema says. It needs kustomize, which
 * kubectl includes, and kubernetes-validate (`pip install kubernetes-validate==1.34.1`) on the path or in
 * KUBERNETES_VALIDATE.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { after, describe, it } from "node:test";
import { fileURLToPath } from "node:url";

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), "../../..");
const CACHE = process.env.ISOBATCH_DEPLOY_CACHE || join(homedir(), ".cache", "isobatch-deploy");
const VERSION = "1.34.1";
const validate = process.env.KUBERNETES_VALIDATE || "kubernetes-validate";

/** The first words of a kubectl command on this machine; undefined if kubectl is not installed. */
function kubectl(): string[] | undefined {
  const works = (words: string[]): boolean =>
    spawnSync(words[0], [...words.slice(1), "kustomize", "--help"]).status === 0;
  const own = join(CACHE, "bin", "kubernetes-v1.34.4");
  return [["kubectl"], ...(existsSync(own) ? [[own, "kubectl"]] : [])].find(works);
}

const program = kubectl();
const missing =
  program === undefined
    ? "kubectl is not installed"
    : spawnSync(validate, ["--help"]).status !== 0
      ? "kubernetes-validate is not installed"
      : undefined;

interface Container {
  readonly name: string;
  readonly args: readonly string[];
  readonly image: string;
  readonly resources: { readonly requests: Record<string, string>; readonly limits: Record<string, string> };
  readonly securityContext: Record<string, unknown>;
  readonly ports?: readonly { containerPort: number }[];
}

interface PodSpec {
  readonly automountServiceAccountToken: boolean;
  readonly terminationGracePeriodSeconds: number;
  readonly securityContext: Record<string, unknown>;
  readonly containers: readonly Container[];
}

// biome-ignore lint/suspicious/noExplicitAny: the test is about what these objects hold
type Manifest = any;

const folder = mkdtempSync(join(tmpdir(), "isobatch-manifests-"));

interface Rendered {
  readonly file: string;
  readonly manifests: readonly Manifest[];
}

const renderings = new Map<string, Rendered>();

function rendered(overlay: string): Rendered {
  const known = renderings.get(overlay);
  if (known !== undefined) return known;
  const [command, ...words] = program!;
  const path = join(ROOT, "deploy/kubernetes/overlays", overlay);
  const { status, stdout, stderr } = spawnSync(command, [...words, "kustomize", path], { encoding: "utf8" });
  assert.equal(status, 0, stderr);
  const file = join(folder, `${overlay}.yaml`);
  writeFileSync(file, stdout);
  const read = "import json, sys, yaml; json.dump(list(yaml.safe_load_all(open(sys.argv[1]))), sys.stdout)";
  const beside = join(dirname(validate), "python3");
  const json = spawnSync(existsSync(beside) ? beside : "python3", ["-c", read, file], { encoding: "utf8" });
  assert.equal(json.status, 0, json.stderr);
  const rendering = { file, manifests: JSON.parse(json.stdout) };
  renderings.set(overlay, rendering);
  return rendering;
}

describe("deploy/kubernetes", { skip: missing }, () => {
  after(() => rmSync(folder, { recursive: true }));
  const overlays = readdirSync(join(ROOT, "deploy/kubernetes/overlays"));
  assert.deepEqual(overlays.sort(), ["cpu", "cuda", "memory", "sharded"]);

  for (const overlay of overlays) {
    const find = (kind: string, name: string): Manifest =>
      rendered(overlay).manifests.find((manifest) => manifest.kind === kind && manifest.metadata.name === name) ??
      assert.fail(`there is no ${kind} ${name}`);

    it(`${overlay} has only what the API of Kubernetes ${VERSION} knows`, () => {
      const { file } = rendered(overlay);
      const { status, stdout, stderr } = spawnSync(validate, ["-k", VERSION, "--strict", file], { encoding: "utf8" });
      assert.equal(status, 0, `${stdout}${stderr}`);
    });

    it(`${overlay} runs unprivileged, and ends within its time`, () => {
      for (const [kind, name] of [
        ["StatefulSet", "isobatch-server"] as const,
        ["Deployment", "isobatch-worker"] as const,
      ]) {
        const spec: PodSpec = find(kind, name).spec.template.spec;
        assert.equal(spec.automountServiceAccountToken, false);
        assert.equal(spec.securityContext.runAsNonRoot, true);
        assert.deepEqual(spec.securityContext.seccompProfile, { type: "RuntimeDefault" });
        // A step gets 25 s to end.
        assert.ok(spec.terminationGracePeriodSeconds > 30);
        for (const { securityContext, resources } of spec.containers) {
          assert.deepEqual(securityContext, {
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ["ALL"] },
          });
          assert.ok(resources.requests.cpu && resources.requests.memory && resources.limits.memory);
        }
      }
    });

    it(`${overlay} lets only workers reach the server, at its shards' ports, and lets workers reach nothing else`, () => {
      const component = (of: string) => ({
        podSelector: {
          matchLabels: { "app.kubernetes.io/name": "isobatch", "app.kubernetes.io/component": of },
        },
      });
      const server = find("NetworkPolicy", "isobatch-server").spec;
      const worker = find("NetworkPolicy", "isobatch-worker").spec;
      for (const policy of [server, worker]) assert.deepEqual(policy.policyTypes, ["Ingress", "Egress"]);
      assert.deepEqual(worker.ingress ?? [], []);
      assert.deepEqual(server.egress ?? [], []);
      const grpc = server.ingress.filter((rule: Manifest) => rule.ports.some(({ port }: Manifest) => port === 7_400));
      assert.equal(grpc.length, 1);
      assert.deepEqual(grpc[0].from, [component("worker")]);
      const [, { port, endPort }] = grpc[0].ports;
      assert.deepEqual(worker.egress[0].to, [component("server")]);
      assert.deepEqual(worker.egress[0].ports, grpc[0].ports);
      const names = rendered(overlay).manifests.find(({ kind }) => kind === "ConfigMap");
      assert.equal(port, 7_402);
      assert.ok(port + Number(names.data.SHARDS) - 2 <= endPort);
      const dns = worker.egress[1];
      assert.deepEqual(
        dns.ports.map(({ port: at }: Manifest) => at),
        [53, 53],
      );
      assert.equal(worker.egress.length, 2);
    });

    it(`${overlay} scales and evicts its workers`, () => {
      const { metadata, spec } = find("Deployment", "isobatch-worker");
      // The autoscaler says how many; a number here would undo it at each apply.
      assert.equal(spec.replicas, undefined);
      const { scaleTargetRef, metrics } = find("HorizontalPodAutoscaler", "isobatch-worker").spec;
      assert.deepEqual([scaleTargetRef.kind, scaleTargetRef.name], ["Deployment", metadata.name]);
      assert.equal(metrics[0].external.metric.name, "isobatch_workers_advised");
      assert.deepEqual(find("PodDisruptionBudget", "isobatch-worker").spec.selector, spec.selector);
      assert.deepEqual(find("StatefulSet", "isobatch-server").spec.serviceName, "isobatch-server");
    });
  }

  it("cuda gives each worker a GPU", () => {
    const worker = rendered("cuda").manifests.find(({ kind }) => kind === "Deployment");
    const [{ image, args, resources }] = worker.spec.template.spec.containers as Container[];
    assert.match(image, /^isobatch-worker-cuda:/);
    assert.ok(args.includes("--backend=tfjs-node-gpu"));
    assert.equal(resources.limits["nvidia.com/gpu"], "1");
  });

  it("memory lets the server and a worker in its pod share a folder of memory", () => {
    const { manifests } = rendered("memory");
    const { volumes, containers } = manifests.find(({ kind }) => kind === "StatefulSet").spec.template.spec;
    const memory = volumes.find(({ name }: Manifest) => name === "memory");
    assert.equal(memory.emptyDir.medium, "Memory");
    assert.deepEqual(
      containers.map(({ name }: Container) => name),
      ["server", "worker"],
    );
    for (const { env, volumeMounts } of containers) {
      const { value } = env.find(({ name }: Manifest) => name === "ISOBATCH_MEMORY");
      assert.ok(volumeMounts.some(({ name, mountPath }: Manifest) => name === "memory" && mountPath === value));
    }
  });

  it("sharded asks for one CPU per shard", () => {
    const { manifests } = rendered("sharded");
    const shards = manifests.find(({ kind }) => kind === "ConfigMap").data.SHARDS;
    const server = manifests.find(({ kind }) => kind === "StatefulSet").spec.template.spec.containers[0] as Container;
    assert.equal(server.resources.requests.cpu, shards);
  });
});
