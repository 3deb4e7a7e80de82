/**
 * The test's own Docker engine, from Debian's packages. No registry of images is needed: the base image is made here under
 * its usual name, from the same Debian and the same Node.js.
 */
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { composeBinary } from "./binaries.js";
import { CACHE, type Host, keepSysctls, type RunOptions, run, until } from "./host.js";

export interface Engine {
  docker(args: readonly string[], options?: RunOptions): Promise<string>;
  /** The engine's socket, for programs that connect to it themselves. */
  readonly env: Readonly<Record<string, string>>;
}

const NODE_IMAGE = "node:22-bookworm-slim";

export async function startEngine(host: Host): Promise<Engine> {
  const plugins = join(host.folder, "cli", "cli-plugins");
  mkdirSync(plugins, { recursive: true });
  symlinkSync(await composeBinary(), join(plugins, "docker-compose"));
  const socket = `unix://${join(host.folder, "docker.sock")}`;
  const env = { DOCKER_HOST: socket, DOCKER_CONFIG: join(host.folder, "cli") };
  const docker: Engine["docker"] = (args, options = {}) =>
    run("docker", args, { ...options, env: { ...env, ...options.env } });

  await keepSysctls(host, ["net.ipv4.ip_forward"]);
  await keepFirewall(host);
  host.daemon("dockerd", "dockerd", [
    ...["--host", socket, "--data-root", join(CACHE, "docker"), "--exec-root", join(host.folder, "docker")],
    ...["--pidfile", join(host.folder, "docker.pid"), "--default-ulimit", "nofile=20000:20000"],
  ]);
  await until("the Docker engine", 60_000, () => docker(["version"])).catch((error: Error) => {
    throw new Error(`${error.message}\n${host.log("dockerd")}`);
  });
  const images = await docker(["images", "--quiet", NODE_IMAGE]);
  if (images.trim() === "") await makeNodeImage(docker);
  return { docker, env };
}

/** Docker adds rules and a bridge; both go with it. */
async function keepFirewall(host: Host): Promise<void> {
  const tables = async (): Promise<string[]> => (await run("nft", ["list", "tables"])).trim().split("\n");
  const links = async (): Promise<string[]> =>
    [...(await run("ip", ["-o", "link"])).matchAll(/^\d+: ([^:@]+)/gm)].map(([, name]) => name);
  const [tablesBefore, linksBefore, rules] = [await tables(), await links(), await run("iptables-save", [])];
  host.atEnd("restore the firewall", async () => {
    for (const table of await tables()) {
      if (/^table ip6? /.test(table) && !tablesBefore.includes(table))
        await run("nft", ["delete", ...table.split(" ")]);
    }
    await run("iptables-restore", [], { input: rules });
    for (const link of await links()) {
      if (/^(docker0|br-[0-9a-f]+)$/.test(link) && !linksBefore.includes(link))
        await run("ip", ["link", "delete", link]);
    }
  });
}

async function makeNodeImage(docker: Engine["docker"]): Promise<void> {
  mkdirSync(CACHE, { recursive: true });
  const folder = mkdtempSync(join(CACHE, "node-image-"));
  const file = (name: string): string => join(folder, name);
  try {
    await run("mmdebstrap", [
      ...["--quiet", "--variant=minbase", "--include=ca-certificates"],
      ...["bookworm", file("debian.tar")],
    ]);
    const unpacked = async (name: string): Promise<string> => {
      const [{ filename }] = JSON.parse(await run("npm", ["pack", "--json", name], { cwd: folder }));
      mkdirSync(file(name));
      await run("tar", ["-xzf", filename, "-C", file(name), "--strip-components", "1"], { cwd: folder });
      return file(name);
    };
    const modules = file("local/lib/node_modules");
    cpSync(join(await unpacked(`node-linux-${process.arch}@22`), "bin"), file("local/bin"), { recursive: true });
    cpSync(await unpacked("npm@10"), join(modules, "npm"), { recursive: true });
    for (const program of ["npm", "npx"]) {
      symlinkSync(`../lib/node_modules/npm/bin/${program}-cli.js`, file(`local/bin/${program}`));
    }
    // The image trusts the same authorities as this machine.
    const authorities = "/etc/ssl/certs/ca-certificates.crt";
    if (existsSync(authorities)) cpSync(authorities, file("authorities.crt"), { dereference: true });
    else writeFileSync(file("authorities.crt"), "");
    writeFileSync(
      file("Dockerfile"),
      [
        "FROM scratch",
        "ADD debian.tar /",
        "COPY local /usr/local",
        `COPY authorities.crt ${authorities}`,
        `ENV NODE_EXTRA_CA_CERTS=${authorities} PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`,
        "RUN useradd --uid 1000 --user-group --create-home node",
        "",
      ].join("\n"),
    );
    await docker(["build", "--tag", NODE_IMAGE, folder]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
