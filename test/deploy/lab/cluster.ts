/**
 * A real Kubernetes cluster of one node, in its own network namespace, so that it does not touch this machine's network:
 * control plane, kubelet, kube-proxy, DNS, containerd and etcd as processes, pods as containers.
 */
import { mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { kubernetesBinary } from "./binaries.js";
import { NODE_ADDRESS, writeFiles, writeKeys } from "./cluster-files.js";
import type { Engine } from "./engine.js";
import { CACHE, type Host, keepSysctls, type RunOptions, run, until } from "./host.js";

export interface Cluster {
  kubectl(args: readonly string[], options?: RunOptions): Promise<string>;
  /** Runs a script whose kubectl is this cluster's. */
  script(path: string): Promise<string>;
  /** The output of `kubectl get … -o json`. */
  get<T>(...args: string[]): Promise<T>;
  /** Imports an image of the engine into the node, under another name. */
  load(image: string, name: string): Promise<void>;
  /** Runs a program in the namespace where pods can be reached. */
  inside(command: string, args: readonly string[], options?: RunOptions): Promise<string>;
  daemonInside(name: string, command: string, args: readonly string[], env?: Readonly<Record<string, string>>): void;
  readonly folder: string;
}

export async function startCluster(host: Host, engine: Engine): Promise<Cluster> {
  const binary = await kubernetesBinary();
  const folder = join(host.folder, "kube");
  const file = (...names: string[]): string => join(folder, ...names);
  for (const name of ["pki", "cni", "etcd", "containerd", "kubelet"]) mkdirSync(file(name), { recursive: true });
  await keepSysctls(host, ["vm.overcommit_memory", "kernel.panic", "kernel.panic_on_oops"]);

  const namespace = `isobatch-${process.pid}`;
  const enter = [`--net=/run/netns/${namespace}`];
  const inside: Cluster["inside"] = (command, args, options) => run("nsenter", [...enter, command, ...args], options);
  const daemonInside: Cluster["daemonInside"] = (name, command, args, env) =>
    void host.daemon(name, "nsenter", [...enter, command, ...args], env);
  await run("ip", ["netns", "add", namespace]);
  host.atEnd("delete the network namespace", () => run("ip", ["netns", "delete", namespace]));
  for (const words of [
    "link set lo up",
    "link add node0 type veth peer name node1",
    "link set node1 up",
    `addr add ${NODE_ADDRESS}/24 dev node0`,
    "link set node0 up",
    "route add default dev node0",
  ]) {
    await inside("ip", words.split(" "));
  }
  await inside("sysctl", ["-qw", "net.ipv4.ip_forward=1"]);

  await writeKeys(file("pki"));
  writeFiles(folder);
  const socket = file("containerd", "socket");
  const ctr = (args: readonly string[], options?: RunOptions): Promise<string> =>
    run("ctr", ["--address", socket, "--namespace", "k8s.io", ...args], options);
  const kubectl: Cluster["kubectl"] = (args, options) =>
    inside(binary, ["kubectl", "--kubeconfig", file("kubeconfig"), ...args], options);
  const program = (name: string, words: string): void => daemonInside(name, binary, [name, ...words.split(/\s+/)]);

  host.atEnd("unmount what pods had mounted", () => unmountBelow(folder));
  host.atEnd("remove the pods' control groups", () => removeControlGroups());
  daemonInside("etcd", "etcd", [
    ...["--data-dir", file("etcd"), "--unsafe-no-fsync", "--listen-peer-urls", "http://127.0.0.1:2380"],
    ...["--listen-client-urls", "http://127.0.0.1:2379", "--advertise-client-urls", "http://127.0.0.1:2379"],
  ]);
  daemonInside("containerd", "containerd", ["--config", file("containerd.toml")]);
  host.atEnd("end the containers", () => endContainers(ctr));
  const pki = (name: string): string => file("pki", name);
  program(
    "apiserver",
    `--etcd-servers=http://127.0.0.1:2379 --advertise-address=${NODE_ADDRESS} --cert-dir=${pki("apiserver")}
     --service-cluster-ip-range=10.96.0.0/16 --token-auth-file=${pki("tokens.csv")} --authorization-mode=RBAC
     --service-account-issuer=https://kubernetes.default.svc --service-account-signing-key-file=${pki("accounts.key")}
     --service-account-key-file=${pki("accounts.key")} --requestheader-client-ca-file=${pki("front.crt")}
     --requestheader-allowed-names=front --requestheader-username-headers=X-Remote-User
     --requestheader-group-headers=X-Remote-Group --requestheader-extra-headers-prefix=X-Remote-Extra-
     --proxy-client-cert-file=${pki("front.crt")} --proxy-client-key-file=${pki("front.key")}
     --enable-aggregator-routing=true --kubelet-preferred-address-types=InternalIP`,
  );
  await until("the API server", 120_000, () => kubectl(["get", "--raw", "/readyz"])).catch((error: Error) => {
    throw new Error(`${error.message}\n${host.log("apiserver")}`);
  });
  const client = `--kubeconfig=${file("kubeconfig")}`;
  program(
    "controller-manager",
    `${client} --leader-elect=false --service-account-private-key-file=${pki("accounts.key")}
     --root-ca-file=${pki("apiserver/apiserver.crt")} --horizontal-pod-autoscaler-sync-period=3s`,
  );
  program("scheduler", `${client} --leader-elect=false`);
  program(
    "kubelet",
    `${client} --config=${file("kubelet.yaml")} --hostname-override=node --node-ip=${NODE_ADDRESS} --root-dir=${file("kubelet")}`,
  );
  program(
    "proxy",
    `${client} --proxy-mode=nftables --cluster-cidr=10.244.0.0/16 --hostname-override=node --oom-score-adj=0
     --conntrack-max-per-core=0 --conntrack-tcp-timeout-established=0 --conntrack-tcp-timeout-close-wait=0`,
  );
  program("dns", `-conf ${file("Corefile")}`);
  await kubectl(["apply", "--filename", "-"], { input: JSON.stringify(DNS) });
  await until("the node", 120_000, () => kubectl(["wait", "--for=condition=Ready", "node/node", "--timeout=1s"])).catch(
    (error: Error) => {
      throw new Error(`${error.message}\n${host.log("kubelet")}`);
    },
  );

  const load: Cluster["load"] = async (image, name) => {
    const archive = file("image.tar");
    await engine.docker(["tag", image, name]);
    await engine.docker(["save", "--output", archive, name]);
    await ctr(["images", "import", archive]);
    rmSync(archive);
  };
  await makePauseImage(folder, engine);
  await load("localhost/pause:1", "localhost/pause:1");
  host.atEnd("delete the pods", () =>
    kubectl(["delete", "namespaces", "--selector", "app.kubernetes.io/name=isobatch", "--wait", "--timeout=60s"]),
  );
  return {
    folder,
    kubectl,
    load,
    script(path) {
      const programs = file("programs");
      mkdirSync(programs, { recursive: true });
      writeFileSync(join(programs, "kubectl"), `#!/bin/sh\nexec ${binary} kubectl "$@"\n`, { mode: 0o755 });
      const env = { KUBECONFIG: file("kubeconfig"), PATH: `${programs}:${process.env.PATH}` };
      return inside(path, [], { env });
    },
    inside,
    daemonInside,
    get: async (...args) => JSON.parse(await kubectl(["get", ...args, "--output", "json"])),
  };
}

/** The program that every pod starts with, which only waits. */
async function makePauseImage(folder: string, { docker }: Engine): Promise<void> {
  if ((await docker(["images", "--quiet", "localhost/pause:1"])).trim() !== "") return;
  const context = join(folder, "pause");
  mkdirSync(context);
  writeFileSync(join(context, "main.go"), PAUSE);
  await run("go", ["build", "-trimpath", "-ldflags", "-s -w", "-o", "pause", "main.go"], {
    cwd: context,
    env: { CGO_ENABLED: "0", GOCACHE: join(CACHE, "go-build-pause") },
  });
  writeFileSync(join(context, "Dockerfile"), 'FROM scratch\nCOPY pause /pause\nENTRYPOINT ["/pause"]\n');
  await docker(["build", "--tag", "localhost/pause:1", context]);
}

const PAUSE = `package main

import (
	"os"
	"os/signal"
	"syscall"
)

func main() {
	end := make(chan os.Signal, 1)
	signal.Notify(end, syscall.SIGTERM, syscall.SIGINT)
	<-end
}
`;

/** The usual address of the cluster's DNS, which is a process on the node here. */
const DNS = {
  apiVersion: "v1",
  kind: "List",
  items: [
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "kube-dns", namespace: "kube-system" },
      spec: {
        clusterIP: "10.96.0.10",
        ports: ["UDP", "TCP"].map((protocol) => ({ name: protocol.toLowerCase(), port: 53, protocol })),
      },
    },
    {
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      metadata: {
        name: "kube-dns-node",
        namespace: "kube-system",
        labels: { "kubernetes.io/service-name": "kube-dns" },
      },
      addressType: "IPv4",
      endpoints: [{ addresses: [NODE_ADDRESS] }],
      ports: ["UDP", "TCP"].map((protocol) => ({ name: protocol.toLowerCase(), port: 53, protocol })),
    },
  ],
};

async function endContainers(ctr: (args: readonly string[]) => Promise<string>): Promise<void> {
  const ids = (await ctr(["containers", "list", "--quiet"])).split("\n").filter((id) => id !== "");
  for (const id of ids) {
    await ctr(["tasks", "kill", "--signal", "KILL", id]).catch(() => {});
    await ctr(["tasks", "delete", "--force", id]).catch(() => {});
    await ctr(["containers", "delete", id]).catch(() => {});
  }
}

async function unmountBelow(folder: string): Promise<void> {
  const places = readFileSync("/proc/mounts", "utf8")
    .split("\n")
    .map((line) => line.split(" ")[1] ?? "")
    .filter((place) => place.startsWith(folder));
  for (const place of places.reverse()) await run("umount", ["--lazy", place]);
  // Namespaces of pods that were not deleted in order: the network plugin names them this way.
  const namespaces = readdirSync("/run/netns").filter((name) => name.startsWith("cni-"));
  for (const name of namespaces) await run("ip", ["netns", "delete", name]).catch(() => {});
}

function removeControlGroups(): void {
  for (const root of ["/sys/fs/cgroup", ...listed("/sys/fs/cgroup")]) removeEmpty(join(root, "kubepods"));
}

const listed = (folder: string): string[] => {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => join(folder, name));
  } catch {
    return [];
  }
};

function removeEmpty(folder: string): void {
  for (const below of listed(folder)) removeEmpty(below);
  rmdirQuietly(folder);
}

function rmdirQuietly(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // It isn't there, or a process is in it.
  }
}
