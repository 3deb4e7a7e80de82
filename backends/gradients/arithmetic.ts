import {
  Add,
  Cast,
  cast,
  clone,
  div,
  Multiply,
  mul,
  neg,
  RealDiv,
  registerGradient,
  Square,
  Sub,
  scalar,
  square,
  type Tensor,
} from "../../tasks/tfjs/core.js";
import { sumToShape } from "./broadcast.js";

/**
 * The gradients of arithmetic, with the bits of tfjs's own. tfjs's reshape and cast every tensor, even to the shape and
 * type that it already has; these operations would be half of a transformer's gradient.
 */
export function registerArithmetic(): void {
  ofTwo(Add, (dy, a, b) => ({ a: () => sumToShape(dy, a.shape), b: () => sumToShape(dy, b.shape) }));

  ofTwo(Sub, (dy, a, b) => ({ a: () => sumToShape(dy, a.shape), b: () => neg(sumToShape(dy, b.shape)) }));

  ofTwo(Multiply, (dy, a, b) => ({
    a: () => sumToShape(mul(dy, float(b)), a.shape),
    b: () => sumToShape(mul(dy, float(a)), b.shape),
  }));

  ofTwo(RealDiv, (dy, a, b) => ({
    a: () => sumToShape(div(dy, float(b)), a.shape),
    b: () => neg(div(sumToShape(mul(dy, float(a)), b.shape), square(float(b)))),
  }));

  registerGradient({
    kernelName: Square,
    inputsToSave: ["x"],
    gradFunc: (dy, [x]) => ({ x: () => mul(dy as Tensor, mul(float(x), scalar(2))) }),
  });

  registerGradient({ kernelName: Cast, gradFunc: (dy) => ({ x: () => clone(dy as Tensor) }) });
}

type Gradients = Record<"a" | "b", () => Tensor>;

function ofTwo(kernelName: string, gradients: (dy: Tensor, a: Tensor, b: Tensor) => Gradients): void {
  registerGradient({
    kernelName,
    inputsToSave: ["a", "b"],
    gradFunc: (dy, [a, b]) => gradients(dy as Tensor, a, b),
  });
}

const float = (x: Tensor): Tensor => (x.dtype === "float32" ? x : cast(x, "float32"));
