import { add, mul, type Tensor } from "../../tfjs/core.js";

/** One of BatchNormalization's moving statistics. */
export interface MovingStatistic {
  read(): Tensor;
  write(value: Tensor): void;
}

/** Moves a statistic towards a batch's. A worker sets momentum to 0 (compute/gradients/layers.ts) to get the batch's own. */
export function followStatistic(moving: MovingStatistic, value: Tensor, momentum: number): void {
  moving.write(momentum === 0 ? value : add(mul(moving.read(), momentum), mul(value, 1 - momentum)));
}
