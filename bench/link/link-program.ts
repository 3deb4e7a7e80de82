/** A process that runs one link, so that its cost burdens neither end. It ends with its parent. */
import { type Address, formatAddress } from "../../shared/wire/index.js";
import { type LinkRate, openLimitedLink } from "./limited-link.js";

export interface LinkStart extends LinkRate {
  readonly target: Address;
  readonly listen: Address;
}

process.once("disconnect", () => process.exit());
const { target, listen, ...rate } = JSON.parse(process.argv[2]) as LinkStart;
const { address } = await openLimitedLink(target, listen, rate);
process.send?.({ address: formatAddress(address) });
