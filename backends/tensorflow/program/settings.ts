/**
 * How programs are made, and whose bits a gradient has, from ISOBATCH_TENSORFLOW_PROGRAM. On a GPU they are the
 * program's: the choice is part of the numerics class, so workers that choose differently never share a run. On a CPU a
 * program must have the operations' bits, unless a choice is made, so that the GPU's rule can be tried without a GPU.
 */
import { invalid } from "../../../shared/errors.js";
import type { Compiler } from "../../compiler.js";

export interface ProgramSettings {
  /** Whether gradients are computed by programs at all. */
  readonly compiled: boolean;
  readonly bits: Compiler["bits"];
  readonly rewriting: Rewriting;
  /** Whether operations are placed on a second, virtual CPU device: a program then has two parts, as on a GPU. */
  readonly split: boolean;
  /** The settings that change bits, for the numerics class; undefined where gradients have the operations' bits. */
  readonly numerics: string | undefined;
}

/** How TensorFlow may rewrite a graph before it computes it. Any of it may change bits. */
export interface Rewriting {
  /** Which of TensorFlow's graph optimizers ("grappler") run, by their names; "all": those that it runs by default. */
  readonly optimizers: "all" | readonly string[];
  /** Whether XLA compiles what it can. */
  readonly xla: boolean;
}

/** No rewriting: the graph is computed as it was written. */
export const AS_WRITTEN: Rewriting = { optimizers: [], xla: false };

/** The variable's words. */
const OFF = "off";
const PLAIN = "plain";
const SPLIT = "split";
const XLA = "xla";
const ALL_OPTIMIZERS = "grappler";
/**
 * Single optimizers. The first chooses the layout of convolutions, which is NCHW on most GPUs; the second fuses an
 * operation with those that follow it, e.g. a product, its bias and its activation.
 */
const OPTIMIZERS = ["layout", "remap"];
const WORDS = [PLAIN, ...OPTIMIZERS, ALL_OPTIMIZERS, XLA, SPLIT];

/** To be raised when programs of the same model get different bits. */
const VERSION = 1;

/**
 * @param variable ISOBATCH_TENSORFLOW_PROGRAM: "off", or other words joined by commas; undefined or empty: the default
 * @throws {IsobatchError} `invalid_input` if it is something else
 */
export function programSettings(variable: string | undefined, onGpu: boolean): ProgramSettings {
  const words = variable ? variable.split(",") : [];
  if (words.length === 1 && words[0] === OFF) {
    const numerics = onGpu ? "no program" : undefined;
    return { compiled: false, bits: "operations", rewriting: AS_WRITTEN, split: false, numerics };
  }
  if (words.some((word, i) => !WORDS.includes(word) || words.indexOf(word) < i)) {
    invalid(
      `ISOBATCH_TENSORFLOW_PROGRAM is ${JSON.stringify(variable)}; it takes ${OFF}, or one or more of ` +
        `${WORDS.join(", ")}, joined by commas.`,
    );
  }
  if (words.includes(XLA) && words.includes(SPLIT)) {
    invalid(
      `ISOBATCH_TENSORFLOW_PROGRAM is ${JSON.stringify(variable)}; ${XLA} can't be joined with ${SPLIT}, since it compiles for one CPU.`,
    );
  }
  if (words.length === 0 && !onGpu) {
    return { compiled: true, bits: "operations", rewriting: AS_WRITTEN, split: false, numerics: undefined };
  }
  const optimizers = words.includes(ALL_OPTIMIZERS) ? "all" : OPTIMIZERS.filter((word) => words.includes(word));
  const rewriting = { optimizers, xla: words.includes(XLA) } as const;
  const named = WORDS.filter((word) => words.includes(word) && word !== PLAIN && word !== SPLIT);
  return {
    compiled: true,
    bits: "program",
    rewriting,
    split: words.includes(SPLIT) && !onGpu,
    numerics: [`program ${VERSION}`, ...named].join(" + "),
  };
}

/**
 * What XLA reads when it is loaded: deterministic algorithms, the same in every process; no more precision than the
 * graph asks for, so that what it rounds to bfloat16 stays rounded; compilation before the first run, because the
 * uncompiled graph has different bits; and compilation for CPUs too, to try it without a GPU.
 */
const XLA_VARIABLES = {
  XLA_FLAGS: "--xla_gpu_deterministic_ops=true --xla_gpu_autotune_level=0 --xla_allow_excess_precision=false",
  TF_XLA_FLAGS: "--tf_xla_enable_lazy_compilation=false --tf_xla_cpu_global_jit",
};

/**
 * The environment variables that TensorFlow needs for a setting, each with what is set in it already.
 * @param setting the words of ISOBATCH_TENSORFLOW_PROGRAM
 */
export function programVariables(
  setting: string | undefined,
  variables: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  if (!setting?.split(",").includes(XLA)) return {};
  return Object.fromEntries(
    Object.entries(XLA_VARIABLES).map(([name, flags]) => {
      const there = variables[name] ?? "";
      return [name, there.includes(flags) ? there : `${there} ${flags}`.trim()];
    }),
  );
}
