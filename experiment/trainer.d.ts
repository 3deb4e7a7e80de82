import { type PreparedTask, type Task } from "../tasks/index.js";
import { type BackendName } from "../worker/backends/index.js";
import { type GradientFlip } from "../worker/compute/index.js";
export interface TrainOptions {
    /** Ends the run early, after as many steps. */
    readonly steps?: number;
    readonly backend?: BackendName;
    /** Called after every step. */
    readonly onStep?: (report: StepReport) => void;
    /** Whether to evaluate, at the task's intervals and at the end; true by default. */
    readonly evaluate?: boolean;
    /** What `prepareTask` made of the task, to use it for several runs. */
    readonly prepared?: PreparedTask;
    /** For tests alone. */
    readonly flip?: GradientFlip;
}
export interface StepReport {
    /** Steps done, this one included. */
    readonly step: number;
    /** Samples consumed, this step's included. */
    readonly samples: number;
    /** The mean over the step's micro-batches. */
    readonly loss: number;
    readonly computeMs: number;
}
export interface Evaluation {
    readonly step: number;
    readonly samples: number;
    /** The mean over the test part's samples. */
    readonly loss: number;
    /** The share of the test part's samples that is classified right. */
    readonly accuracy: number;
}
export interface TrainedState {
    readonly stateHash: string;
    readonly steps: number;
    readonly samples: number;
    /** `layout.length` numbers, in layout order. */
    readonly theta: Float32Array;
    /** `layout.parameters` numbers each. */
    readonly m: Float32Array;
    readonly v: Float32Array;
    /** One a micro-batch, in order. */
    readonly losses: readonly number[];
    readonly evaluations: readonly Evaluation[];
}
/** @throws {NonFiniteError} if the training diverges. */
export declare function trainInProcess(task: Task, options?: TrainOptions): Promise<TrainedState>;
