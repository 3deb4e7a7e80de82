import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { groupLimits } from "./cgroups.js";
import { shareOf } from "./machine.js";

type Files = Readonly<Record<string, string>>;
const limitsOf = (files: Files) => groupLimits((path) => files[path]);

const mountOf2 = (root = "/", point = "/sys/fs/cgroup") =>
  `30 23 0:26 ${root} ${point} rw,nosuid,nodev,noexec,relatime shared:4 - cgroup2 cgroup2 rw,nsdelegate\n`;
const mountOf1 = (controllers: string, root = "/") =>
  `35 31 0:32 ${root} /sys/fs/cgroup/${controllers} rw,relatime - cgroup cgroup rw,${controllers}\n`;
const OTHERS = "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n23 22 0:22 / /proc rw - proc proc rw\n";
const GIB = 2 ** 30;

describe("groupLimits()", () => {
  it("reads a container of version 2, which sees its own group as the root", () => {
    const found = limitsOf({
      "/proc/self/cgroup": "0::/\n",
      "/proc/self/mountinfo": OTHERS + mountOf2(),
      "/sys/fs/cgroup/cpu.max": "150000 100000\n",
      "/sys/fs/cgroup/memory.max": `${2 * GIB}\n`,
      "/sys/fs/cgroup/memory.current": `${GIB}\n`,
      "/sys/fs/cgroup/memory.stat": `anon 1\ninactive_file ${GIB / 4}\nactive_file 3\n`,
    });
    assert.deepEqual(found, { cpus: 1.5, memory: { bytes: 2 * GIB, usedBytes: 0.75 * GIB } });
  });

  it("takes the tightest limit of nested groups, wherever it is, as of systemd's slices", () => {
    const slice = "/sys/fs/cgroup/train.slice";
    const service = `${slice}/train-a.slice/isobatch.service`;
    const files = {
      "/proc/self/cgroup": "0::/train.slice/train-a.slice/isobatch.service\n",
      "/proc/self/mountinfo": OTHERS + mountOf2(),
      [`${service}/cpu.max`]: "max 100000\n",
      [`${service}/memory.max`]: "max\n",
      [`${slice}/train-a.slice/cpu.max`]: "300000 100000\n",
      [`${slice}/train-a.slice/memory.max`]: `${4 * GIB}\n`,
      [`${slice}/train-a.slice/memory.current`]: `${GIB}\n`,
      [`${slice}/cpu.max`]: "25000 10000\n",
      [`${slice}/memory.max`]: `${6 * GIB}\n`,
      // Others of the slice have taken nearly all of it.
      [`${slice}/memory.current`]: `${5.5 * GIB}\n`,
    };
    assert.deepEqual(limitsOf(files), { cpus: 2.5, memory: { bytes: 4 * GIB, usedBytes: 3.5 * GIB } });
  });

  it("reads version 1, each controller in its own tree, −1 and the largest number being no limit", () => {
    const files = {
      "/proc/self/cgroup": "7:memory:/jobs/a\n4:cpuacct,cpu:/jobs\n1:name=systemd:/x\n0::/x\n",
      "/proc/self/mountinfo":
        OTHERS + mountOf1("cpu,cpuacct") + mountOf1("memory") + mountOf2("/", "/sys/fs/cgroup/unified"),
      "/sys/fs/cgroup/cpu,cpuacct/jobs/cpu.cfs_quota_us": "50000\n",
      "/sys/fs/cgroup/cpu,cpuacct/jobs/cpu.cfs_period_us": "100000\n",
      "/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "-1\n",
      "/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000\n",
      "/sys/fs/cgroup/memory/jobs/a/memory.limit_in_bytes": "9223372036854771712\n",
      "/sys/fs/cgroup/memory/jobs/memory.limit_in_bytes": `${GIB}\n`,
      "/sys/fs/cgroup/memory/jobs/memory.usage_in_bytes": `${GIB / 2}\n`,
      "/sys/fs/cgroup/memory/jobs/memory.stat": `inactive_file 7\ntotal_inactive_file ${GIB / 8}\n`,
    };
    assert.deepEqual(limitsOf(files), { cpus: 0.5, memory: { bytes: GIB, usedBytes: 0.375 * GIB } });
  });

  it("finds a container's group where it sees the host's path: version 1 without a namespace", () => {
    const id = "/docker/1f5c";
    const files = {
      "/proc/self/cgroup": `4:cpu:${id}\n`,
      "/proc/self/mountinfo": OTHERS + mountOf1("cpu", id),
      "/sys/fs/cgroup/cpu/cpu.cfs_quota_us": "200000",
      "/sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000",
    };
    assert.equal(limitsOf(files).cpus, 2);
  });

  it("takes the mount's root for a group that is outside of it", () => {
    for (const path of ["/../other", "/elsewhere/else"]) {
      const files = {
        "/proc/self/cgroup": `0::${path}\n`,
        "/proc/self/mountinfo": mountOf2(path.startsWith("/..") ? "/" : "/kubepods/pod\\0401"),
        "/sys/fs/cgroup/cpu.max": "100000 100000",
      };
      assert.equal(limitsOf(files).cpus, 1, path);
    }
  });

  it("finds no limit where there is none, where files are missing, and on another system", () => {
    const none = { cpus: undefined, memory: undefined };
    assert.deepEqual(limitsOf({}), none);
    assert.deepEqual(limitsOf({ "/proc/self/cgroup": "0::/\n", "/proc/self/mountinfo": mountOf2() }), none);
    const files = { "/sys/fs/cgroup/cpu.max": "max 100000", "/sys/fs/cgroup/memory.max": "max" };
    assert.deepEqual(limitsOf({ "/proc/self/cgroup": "0::/\n", "/proc/self/mountinfo": mountOf2(), ...files }), none);
    const nonsense = { "/sys/fs/cgroup/cpu.max": "\n", "/sys/fs/cgroup/memory.max": "many" };
    assert.deepEqual(
      limitsOf({ "/proc/self/cgroup": "0::/\n", "/proc/self/mountinfo": `${mountOf2()}?\n`, ...nonsense }),
      none,
    );
  });
});

describe("shareOf()", () => {
  const share = (processors: number, cpus: number | undefined) =>
    shareOf(processors, 8 * GIB, 4 * GIB, { cpus, memory: undefined });

  it("rounds a quota up, to at least one core and at most as many as there are", () => {
    const cases: [processors: number, cpus: number | undefined, cores: number][] = [
      ...([
        [8, undefined, 8],
        [8, 0.1, 1],
        [8, 1, 1],
        [8, 1.5, 2],
        [8, 2, 2],
      ] as const),
      ...([
        [8, 2.01, 3],
        [2, 4, 2],
        [1, 0.5, 1],
      ] as const),
    ].map(([processors, cpus, cores]) => [processors, cpus, cores]);
    for (const [processors, cpus, cores] of cases) assert.equal(share(processors, cpus).cores, cores, `${cpus}`);
    assert.equal(share(8, 1.5).limits.cpus, 1.5);
    assert.equal(share(2, 4).limits.cpus, null);
  });

  it("has the memory that both the machine and the groups let it have", () => {
    const limited = (bytes: number, usedBytes: number) =>
      shareOf(2, 8 * GIB, 4 * GIB, { cpus: undefined, memory: { bytes, usedBytes } });
    assert.deepEqual(limited(2 * GIB, GIB / 2), {
      cores: 2,
      memoryBytes: 2 * GIB,
      freeMemoryBytes: 1.5 * GIB,
      limits: { cpus: null, memoryBytes: 2 * GIB },
    });
    assert.equal(limited(6 * GIB, 0).freeMemoryBytes, 4 * GIB);
    assert.deepEqual(limited(9 * GIB, GIB).limits, { cpus: null, memoryBytes: null });
    assert.equal(limited(9 * GIB, GIB).memoryBytes, 8 * GIB);
  });
});
