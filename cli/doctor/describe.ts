/** The report of what this machine can compute with, for people. */
import { plural } from "../progress/format.js";
import { table } from "../progress/table.js";
import type { BackendReport, DoctorReport, Installation } from "./collect.js";
import type { SharedMemoryReport } from "./shared-memory.js";

export function describeReport(report: DoctorReport): string[] {
  const { nvidia, tensorflow, backends, run, limits } = report;
  return [
    ...table([
      ["isobatch", report.isobatch],
      ["node", `${report.node} on ${report.platform} ${report.architecture}`],
      ["cores", `${report.cores} (${report.processor})${limitText(limits.cpus, (cpus) => `a quota of ${cpus} CPUs`)}`],
      [
        "memory",
        `${gibibytes(report.memoryBytes)}, ${gibibytes(report.freeMemoryBytes)} free${limitText(limits.memoryBytes, () => "that limit")}`,
      ],
      ["shared", describeSharedMemory(report.sharedMemory)],
    ]),
    "",
    "NVIDIA",
    ...indent(describeGraphics(nvidia)),
    "",
    "TensorFlow",
    ...indent(tensorflow.installations.flatMap(describeInstallation)),
    "",
    "backends, in the order in which a worker tries them",
    ...indent(table(backends.flatMap(describeBackend))),
    "",
    run === null
      ? "No backend works here."
      : `isobatch run uses ${run.backend}: ${plural(run.workers, "worker")} with ${plural(run.computeThreads, "compute thread")}.`,
  ];
}

function describeSharedMemory({ folder, problem, freeBytes, totalBytes, mapped }: SharedMemoryReport): string {
  if (problem !== null) return `unavailable in this folder: ${problem}`;
  const room = `${folder}, ${gibibytes(freeBytes!)} of ${gibibytes(totalBytes!)} free`;
  return mapped ? room : `${room}; copied, not mapped: isobatch tensorflow install adds the code that maps it`;
}

/** A limit set by a container, for example. */
function limitText(limit: number | null, text: (limit: number) => string): string {
  return limit === null ? "" : `; its control group sets ${text(Number(limit.toFixed(2)))}`;
}

const gibibytes = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(1)} GiB`;
const indent = (lines: readonly string[]): string[] => lines.map((line) => `  ${line}`);

function describeGraphics({ driver, driverMin, problem, visibleDevices, gpus, gpusFound }: DoctorReport["nvidia"]) {
  const hidden =
    visibleDevices === null ? [] : [["CUDA_VISIBLE_DEVICES", `"${visibleDevices}": ${gpus.length} of ${gpusFound}`]];
  const rows = [
    ["driver", driver === null ? "none is loaded" : `${driver} (${driverMin} or newer is needed)`],
    ...(problem === null || driver === null ? [] : [["problem", problem]]),
    ...(driver === null ? [] : hidden),
    ...gpus.map(({ model, name, nearCores }, number) => [
      `GPU ${number}`,
      `${model ?? "unknown model"}  ${name}${nearCores === null ? "" : `  its worker runs on the near cores ${nearCores}`}`,
    ]),
  ];
  return table(rows);
}

function describeInstallation(installation: Installation): string[] {
  const { variant, problem, version, libraryFolder, python, libraries, problems = [] } = installation;
  const name = variant === "cuda" ? "for CUDA" : "for CPUs";
  if (problem !== null) return [`${name}: ${problem}`];
  const { cuda, cudnn, cublas, builtFor } = libraries!;
  const companions = [
    ["CUDA", cuda],
    ["cuDNN", cudnn],
    ["cuBLAS", cublas],
  ].flatMap(([library, found]) => (found === null ? [] : [`${library} ${found}`]));
  return [
    `${name}: ${version}, built for ${builtFor ?? "CPUs only"}`,
    ...indent(
      table([
        ["library", libraryFolder!],
        ["python", python!],
        ...(variant === "cuda"
          ? [["next to it", companions.join(", ") || "no CUDA libraries; those of the system are used"]]
          : []),
        ...problems.map((each) => ["problem", each]),
      ]),
    ),
  ];
}

function describeBackend(backend: BackendReport): string[][] {
  const { name, works, reason, device, version, flags, determinism, precisions } = backend;
  const { intraOpThreads, computeThreads } = backend;
  if (!works) return [[name, "does not work", reason]];
  return [
    [name, "works", device],
    ["", "version", version!],
    [
      "",
      "threads",
      `${intraOpThreads} per operation; ${plural(computeThreads, "compute thread")} for a worker that has the machine to itself`,
    ],
    ["", "determinism", determinism!],
    ["", "precision", precisions!],
    ["", "numerics", flags!],
  ];
}
