/** The first lines of a run: what is trained, on what, for how long, and where to look. Pure. */
import { join } from "node:path";
import { dataText, epochsText, modelText, type RunSizes } from "./facts.js";
import { count, plural } from "./format.js";
import type { Linker } from "./links.js";
import { labelled } from "./table.js";
import type { Paint } from "./view.js";

export interface RunStart extends RunSizes {
  readonly task: string;
  /** The run directory. */
  readonly folder: string;
  /** HOST:PORT of the server. */
  readonly server: string;
  /** The dashboard's URL, if there is one. */
  readonly dashboard: string | undefined;
  /** The step at which it resumes; undefined: it is new. */
  readonly resumedAt: number | undefined;
  readonly samplesTotal: number;
}

/** @param reportFile its name in the run directory */
export function introLines(run: RunStart, reportFile: string, paint: Paint, link: Linker): string[] {
  const { task, folder, server, resumedAt, samplesTotal, trainingSamples } = run;
  const how = resumedAt === undefined ? "starting" : `resuming at step ${count(resumedAt)}`;
  const report = join(folder, reportFile);
  return [
    `${paint("bold", task)} ${how} in ${folder}, server at ${server}`,
    ...labelled(
      [
        ["model", modelText(run)],
        ["data", dataText(run)],
        ["length", `${plural(samplesTotal, "sample")}, ${epochsText(samplesTotal, trainingSamples)}`],
        ["dashboard", dashboardText(run, link)],
        ["report", `${link(report, report)}, written when the run ends`],
      ],
      paint,
    ),
  ];
}

function dashboardText({ dashboard }: RunStart, link: Linker): string {
  if (dashboard === undefined) return "none; --http 127.0.0.1:7401 serves one";
  const { hostname, port } = new URL(dashboard);
  const url = link(dashboard, dashboard);
  const isLocal = ["127.0.0.1", "[::1]", "localhost"].includes(hostname);
  return isLocal ? `${url} (for other machines: --http 0.0.0.0:${port})` : url;
}
