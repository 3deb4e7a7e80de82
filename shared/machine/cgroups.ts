/**
 * What this process's control groups allow it: the share of a container or a unit, which the machine's number of
 * processors and its memory do not show. Groups are nested, and each limits everything inside it, so the tightest limit
 * from the process's own group up to the root counts. Pure over a reader of files, for versions 1 and 2.
 *
 * Docs: https://docs.kernel.org/admin-guide/cgroup-v2.html, …/cgroup-v1/, …/scheduler/sched-bwc.html
 */
export interface GroupLimits {
  /** The quota of computing time, in processors; undefined: no quota. */
  readonly cpus: number | undefined;
  /** Undefined: no limit. */
  readonly memory: MemoryLimit | undefined;
}

export interface MemoryLimit {
  readonly bytes: number;
  /** How much of it is in use, without what the kernel can drop at once: cached files that are not used. */
  readonly usedBytes: number;
}

/** The content of a file; undefined if it can't be read. */
export type ReadFile = (path: string) => string | undefined;

export function groupLimits(read: ReadFile): GroupLimits {
  const groups = parseGroups(read("/proc/self/cgroup") ?? "");
  const mounts = parseMounts(read("/proc/self/mountinfo") ?? "");
  const quotas: number[] = [];
  const memories: MemoryLimit[] = [];
  for (const mount of mounts) {
    const group = groups.find(({ controllers }) =>
      mount.version === 2 ? controllers.length === 0 : controllers.some((name) => mount.controllers.includes(name)),
    );
    if (group === undefined) continue;
    for (const folder of foldersUp(mount, group.path)) {
      const file = (name: string): string | undefined => read(`${folder}/${name}`)?.trim();
      const quota = mount.version === 2 ? quotaOf(file("cpu.max")) : quotaOfFirst(file);
      if (quota !== undefined) quotas.push(quota);
      const memory = memoryOf(file, mount.version === 2 ? NAMES : NAMES_OF_FIRST);
      if (memory !== undefined) memories.push(memory);
    }
  }
  const free = ({ bytes, usedBytes }: MemoryLimit): number => bytes - usedBytes;
  const tightest = Math.min(...memories.map(({ bytes }) => bytes));
  // The group with the tightest limit need not be the one with the least memory left: other members of a parent group
  // use some.
  const left = Math.min(...memories.map(free));
  return {
    cpus: quotas.length === 0 ? undefined : Math.min(...quotas),
    memory: memories.length === 0 ? undefined : { bytes: tightest, usedBytes: Math.max(0, tightest - left) },
  };
}

interface Group {
  /** Empty for version 2. */
  readonly controllers: readonly string[];
  readonly path: string;
}

/** `4:cpu,cpuacct:/docker/1f` of version 1, `0::/user.slice` of version 2. */
function parseGroups(text: string): Group[] {
  return text.split("\n").flatMap((line) => {
    const match = /^\d+:([^:]*):(\/.*)$/.exec(line);
    return match === null ? [] : [{ controllers: match[1] === "" ? [] : match[1].split(","), path: match[2] }];
  });
}

interface Mount {
  readonly version: 1 | 2;
  readonly controllers: readonly string[];
  /** The group that the mount point shows. */
  readonly root: string;
  readonly point: string;
}

/** `33 24 0:28 ROOT POINT options… - TYPE source options`, see proc(5). */
function parseMounts(text: string): Mount[] {
  return text.split("\n").flatMap((line): Mount[] => {
    const [before, after] = line.split(" - ");
    const [, , , root, point] = before.split(" ").map(unescapeOctal);
    const [type, , options = ""] = after?.split(" ") ?? [];
    if (type === "cgroup2") return [{ version: 2, controllers: [], root, point }];
    return type === "cgroup" ? [{ version: 1, controllers: options.split(","), root, point }] : [];
  });
}

/** Decodes spaces and similar characters, which mountinfo writes in octal. */
function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}

/** The folders of a group and of all above it, as far as they are visible. */
function foldersUp({ root, point }: Mount, path: string): string[] {
  const base = root === "/" ? "" : root;
  // A group outside of what is mounted (a container that sees the host's path, or "/..") is treated as the mount's
  // root.
  const inside = path === base || path.startsWith(`${base}/`) ? path.slice(base.length) : "";
  const names = inside.split("/").filter((name) => name !== "");
  if (names.includes("..")) return [point];
  return names.map((_, i) => [point, ...names.slice(0, names.length - i)].join("/")).concat(point);
}

/** "150000 100000": microseconds in each period; "max 100000" means none. */
function quotaOf(text: string | undefined): number | undefined {
  const [quota, period] = text?.split(" ").map(Number) ?? [];
  return quota > 0 && period > 0 ? quota / period : undefined;
}

/** The quota of version 1, which has two files; −1 means none. */
function quotaOfFirst(file: (name: string) => string | undefined): number | undefined {
  return quotaOf(`${file("cpu.cfs_quota_us")} ${file("cpu.cfs_period_us")}`);
}

interface MemoryNames {
  readonly limit: string;
  readonly used: string;
  /** The line of memory.stat with the bytes that the kernel can drop at once. */
  readonly droppable: RegExp;
}

const NAMES: MemoryNames = { limit: "memory.max", used: "memory.current", droppable: /^inactive_file (\d+)$/m };
const NAMES_OF_FIRST: MemoryNames = {
  limit: "memory.limit_in_bytes",
  used: "memory.usage_in_bytes",
  droppable: /^total_inactive_file (\d+)$/m,
};

/** Version 1 has no word for "no limit": it is the largest number of whole pages. */
const UNLIMITED = 2 ** 62;

function memoryOf(
  file: (name: string) => string | undefined,
  { limit, used, droppable }: MemoryNames,
): MemoryLimit | undefined {
  const bytes = Number(file(limit));
  if (!(bytes > 0 && bytes < UNLIMITED)) return undefined;
  const taken = Number(file(used) ?? 0) - Number(droppable.exec(file("memory.stat") ?? "")?.[1] ?? 0);
  return { bytes, usedBytes: Math.min(bytes, Math.max(0, taken)) };
}
