/** The files that the cluster's programs read: keys and configurations. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "./host.js";

/** The node's address, in its network namespace. */
export const NODE_ADDRESS = "10.77.0.1";
const ADMIN_TOKEN = "the-tests-own-administrator";

/** Keys that live as long as the cluster. */
export async function writeKeys(folder: string): Promise<void> {
  const certificate = (name: string): Promise<string> =>
    run("openssl", [
      ...["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", `/CN=${name}`],
      ...["-keyout", join(folder, `${name}.key`), "-out", join(folder, `${name}.crt`)],
    ]);
  await Promise.all(["front", "adapter"].map(certificate));
  await run("openssl", ["genrsa", "-out", join(folder, "accounts.key"), "2048"]);
  writeFileSync(join(folder, "tokens.csv"), `${ADMIN_TOKEN},admin,admin,"system:masters"\n`);
}

export function writeFiles(folder: string): void {
  const write = (name: string, content: object | string): void =>
    writeFileSync(join(folder, name), typeof content === "string" ? content : JSON.stringify(content, null, 2));
  write("kubeconfig", {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "test", cluster: { server: `https://${NODE_ADDRESS}:6443`, "insecure-skip-tls-verify": true } }],
    users: [{ name: "admin", user: { token: ADMIN_TOKEN } }],
    contexts: [{ name: "test", context: { cluster: "test", user: "admin" } }],
    "current-context": "test",
  });
  write("cni/10-pods.conflist", {
    cniVersion: "0.4.0",
    name: "pods",
    plugins: [
      {
        type: "bridge",
        bridge: "pods0",
        isGateway: true,
        hairpinMode: true,
        ipam: {
          type: "host-local",
          dataDir: join(folder, "addresses"),
          ranges: [[{ subnet: "10.244.0.0/24" }]],
          routes: [{ dst: "0.0.0.0/0" }],
        },
      },
    ],
  });
  write(
    "containerd.toml",
    `version = 2
root = "${folder}/containerd/root"
state = "${folder}/containerd/state"
[grpc]
  address = "${folder}/containerd/socket"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "localhost/pause:1"
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "${folder}/cni"
`,
  );
  write("resolv.conf", "nameserver 127.0.0.1\n");
  write("kubelet.yaml", {
    apiVersion: "kubelet.config.k8s.io/v1beta1",
    kind: "KubeletConfiguration",
    authentication: { anonymous: { enabled: true }, webhook: { enabled: false } },
    authorization: { mode: "AlwaysAllow" },
    cgroupDriver: "cgroupfs",
    failSwapOn: false,
    failCgroupV1: false,
    oomScoreAdj: 0,
    maxOpenFiles: 20_000,
    enforceNodeAllocatable: [],
    containerRuntimeEndpoint: `unix://${folder}/containerd/socket`,
    clusterDNS: ["10.96.0.10"],
    clusterDomain: "cluster.local",
    resolvConf: join(folder, "resolv.conf"),
    staticPodPath: "",
    evictionHard: { "memory.available": "100Mi", "nodefs.available": "1%", "imagefs.available": "1%" },
    imageGCHighThresholdPercent: 100,
  });
  write(
    "Corefile",
    `.:53 {
  bind ${NODE_ADDRESS}
  kubernetes cluster.local in-addr.arpa {
    kubeconfig ${folder}/kubeconfig test
    ttl 5
  }
  errors
}
`,
  );
}
