import { core } from "../tfjs/core.js";

/**
 * The orthogonal initialiser (every recurrent layer's default) calls operations as methods of a tensor, which only tfjs's
 * all-in-one package defines; here they are defined from core's functions.
 */
export function defineTensorMethods(): void {
  const methods = core.Tensor.prototype as unknown as Record<string, unknown>;
  methods.flatten ??= function (this: core.Tensor) {
    return core.reshape(this, [this.size]);
  };
  methods.reshape ??= function (this: core.Tensor, shape: number[]) {
    return core.reshape(this, shape);
  };
  methods.transpose ??= function (this: core.Tensor, permutation?: number[]) {
    return core.transpose(this, permutation);
  };
  methods.sign ??= function (this: core.Tensor) {
    return core.sign(this);
  };
  methods.stridedSlice ??= function (this: core.Tensor, begin: number[], end: number[], strides: number[]) {
    return core.stridedSlice(this, begin, end, strides);
  };
}
