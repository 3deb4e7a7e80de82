/** A process of many null workers, which ends with them. Its parent asks for its usage and the number of leases so far. */
import { createLog } from "../../shared/log.js";
import { parseAddress } from "../../shared/wire/index.js";
import { runNullWorker } from "./null-worker.js";
import { type Usage, usage } from "./usage.js";

export interface WorkersStart {
  readonly address: string;
  readonly token: string;
  readonly count: number;
  readonly computeMs: number;
}

export interface WorkersUsage extends Usage {
  readonly leases: number;
}

const { address, token, count, computeMs } = JSON.parse(process.argv[2]) as WorkersStart;
const log = createLog({ level: "warn", pretty: false });
let leases = 0;
process.on("message", () => process.send?.({ ...usage(), leases } satisfies WorkersUsage));
process.once("disconnect", () => process.exit());

const options = {
  ...{ address: parseAddress(address, "the server's address"), token, log, computeMs },
  onLease: () => void leases++,
};
await Promise.all(Array.from({ length: count }, () => runNullWorker(options)));
process.disconnect();
