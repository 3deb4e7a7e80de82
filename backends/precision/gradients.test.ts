import { after, before, describe, it } from "node:test";
import { ALL } from "../../shared/all-cases.test.helper.js";
import { type Derivatives, DISTINCT, openDerivatives } from "../derivatives.test.helper.js";
import { probeBackend } from "../index.js";
import { layerCases, nameOf } from "../layer-cases.test.helper.js";
import { settings } from "../settings.test.helper.js";

const native = await probeBackend("tfjs-node", settings);
const BACKENDS = native.available ? (["wasm", "cpu", "tfjs-node"] as const) : (["wasm", "cpu"] as const);

/** One of each kind of product; of the others `npm run test:all` takes all. */
const KINDS = /^(Dense of features|Conv1D|Conv3DTranspose|SeparableConv2D multiplier|LSTM$|SelfAttention causal)/;

/**
 * A kink follows a product here, and a rounded product may fall on its other side, where the derivative is another one.
 * That happens in some draws of the numbers; a wrong gradient shows in all of them.
 */
const KINK_AFTER_PRODUCT = /^(?!Activation).*\brelu6?\b|\bnested\b/;
const DRAWS = 4;

async function inSomeDraw(check: (draw: number) => Promise<void>, draw = 0): Promise<void> {
  try {
    await check(draw);
  } catch (error) {
    if (draw + 1 === DRAWS) throw error;
    await inSomeDraw(check, draw + 1);
  }
}

for (const precision of ALL ? (["tf32", "bfloat16"] as const) : (["bfloat16"] as const)) {
  describe(`the gradients of layers in ${precision}`, () => {
    let derivatives: Derivatives;
    before(() => {
      derivatives = openDerivatives();
    });
    after(() => derivatives.stop());

    layerCases.forEach((example, index) => {
      const name = nameOf(example);
      if (!ALL && !KINDS.test(name)) return;
      it(`${name}: those of float64 within what rounding may change`, () => {
        const check = (draw: number) => derivatives.check(index, example, BACKENDS, { ...DISTINCT, draw }, precision);
        return KINK_AFTER_PRODUCT.test(name) ? inSomeDraw(check) : check(0);
      });
    });
  });
}
