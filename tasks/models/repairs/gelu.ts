import { add, customGrad, div, erf, exp, mul, serialization, square, type Tensor, tidy } from "../../tfjs/core.js";
// Registers tfjs's activations.
import "../../tfjs/layers.js";

type Save = (tensors: Tensor[]) => void;

/**
 * Gives the activation GELU, x·Φ(x) (Hendrycks & Gimpel 2016), its gradient in closed form, Φ(x) + x·φ(x): seven
 * operations, where tfjs's takes eleven by way of erf's gradient. They are on a transformer's widest tensors.
 */
export function repairGelu(): void {
  const [gelu] = serialization.SerializationMap.getMap().classNameMap.gelu;
  (gelu as unknown as { prototype: { apply(x: Tensor): Tensor } }).prototype.apply = (x) => tidy(() => compute(x));
}

const compute = customGrad((...parts) => {
  const [x, save] = parts as unknown as [Tensor, Save];
  const share = mul(0.5, add(1, erf(div(x, Math.SQRT2))));
  save([x, share]);
  return {
    value: mul(x, share),
    gradFunc: (dy: Tensor, [x, share]: Tensor[]) => {
      const density = mul(exp(mul(square(x), -0.5)), 1 / Math.sqrt(2 * Math.PI));
      return mul(dy, add(share, mul(x, density)));
    },
  };
});
