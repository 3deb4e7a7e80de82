/** What a process has used so far, as it reports when its parent asks. */
export interface Usage {
  /** User and system time of all of its threads. */
  readonly cpuMs: number;
  readonly residentBytes: number;
  /** The time by a clock that all processes of the machine share. */
  readonly atMs: number;
}

export function usage(): Usage {
  const { user, system } = process.cpuUsage();
  const { rss } = process.memoryUsage();
  return { cpuMs: (user + system) / 1000, residentBytes: rss, atMs: performance.timeOrigin + performance.now() };
}
