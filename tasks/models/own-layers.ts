import { CUSTOM_LAYERS } from "./layers/index.js";
import { walk } from "./topology.js";

/** Whether a model has layers that tfjs lacks, so that another program can't load it without `isobatch/layers`. */
export function usesOwnLayers(topology: string): boolean {
  const own = new Set<string>(CUSTOM_LAYERS.map(({ className }) => className));
  let found = false;
  walk(JSON.parse(topology), ({ class_name: name }) => {
    found ||= own.has(name);
  });
  return found;
}
