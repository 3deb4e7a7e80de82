import { availableParallelism, cpus, freemem, totalmem } from "node:os";
import { version } from "../../shared/version.js";
import { probeBackends } from "../../worker/backends/index.js";
import { table } from "../progress/table.js";

/** Prints what there is to compute with on this machine. */
export async function doctor(): Promise<void> {
  const gibibytes = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(1)} GiB`;
  const machine = [
    ["isobatch", version],
    ["node", `${process.version} on ${process.platform} ${process.arch}`],
    ["cores", `${availableParallelism()} (${cpus()[0]?.model.trim() ?? "unknown"})`],
    ["memory", `${gibibytes(totalmem())}, ${gibibytes(freemem())} free`],
  ];
  const backends = (await probeBackends()).map(({ name, available, reason, device }) =>
    available ? [name, "works", device] : [name, "does not work", reason],
  );
  const heading = "backends, in the order in which a worker tries them";
  process.stdout.write([...table(machine), "", heading, ...table(backends), ""].join("\n"));
}
