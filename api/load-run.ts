import { join } from "node:path";
import { readNewestCheckpoint } from "../server/checkpoint/index.js";
import { RUN_FILES } from "../server/record/index.js";
import { IsobatchError, invalid } from "../shared/errors.js";
import type { Layout } from "../shared/layout/index.js";
import { readRegularFile } from "../shared/regular-file.js";
import { openData, parseSavedForm, resolveTask, type SavedForm, type Task } from "../tasks/index.js";
import "../tasks/models/isobatch-layers.js";
import { loadModel, tensorflow as tf } from "../tasks/models/index.js";
import type { LayersModel } from "../tasks/tfjs/types.js";
import { createPredict } from "./model/predict-samples.js";
import { checkText } from "./options.js";
import type { InputForm, LoadedRun } from "./types/model.js";

/** Loads a run's newest sound checkpoint as a model of this process. */
export async function loadRun(out: string): Promise<LoadedRun> {
  checkText("The run directory", out);
  const { taskJson, topology, layout, state, meta, skipped } = readNewestCheckpoint(out);
  const task = resolveTask(join(out, RUN_FILES.task), JSON.parse(taskJson));
  const form = await formOf(out, task);
  const model = await modelWith(topology, layout, state.theta);
  const labels = labelsOf(form);
  let isLoaded = true;
  return {
    model,
    task: task.name,
    step: meta.step,
    loss: task.loss,
    labels,
    input: inputOf(form, task),
    notes: skipped.map((sentence) => `${sentence} An older checkpoint is used.`),
    predict: createPredict({ model, task, form, labels }),
    dispose() {
      if (isLoaded) model.dispose();
      isLoaded = false;
    },
  };
}

/** As the run has recorded it; of a run of an older version, as its data has it. */
async function formOf(out: string, task: Task): Promise<SavedForm> {
  const path = join(out, RUN_FILES.samples);
  const saved = readRegularFile(path);
  if (saved !== undefined) return parseSavedForm(saved, path);
  try {
    return (await openData(task)).train;
  } catch (error) {
    if (!(error instanceof IsobatchError)) throw error;
    return invalid(
      `${out} was made by an older version, which did not write ${RUN_FILES.samples}, and its data can't be read: ${error.message}`,
    );
  }
}

async function modelWith(topology: string, layout: Layout, theta: Float32Array): Promise<LayersModel> {
  const { model, tensors } = await loadModel(topology, layout);
  for (const { name, offset, length, shape } of layout.tensors) {
    const values = tf.tensor(theta.slice(offset, offset + length), [...shape], "float32");
    tensors.get(name)!.write(values);
    values.dispose();
  }
  return model;
}

function labelsOf({ label: { classes, classNames } }: SavedForm): readonly string[] | undefined {
  return classNames ?? (classes === undefined ? undefined : Array.from({ length: classes }, (_, i) => String(i)));
}

function inputOf({ input, label, columns }: SavedForm, task: Task): InputForm {
  const { shape, scale, normalization } = input;
  return {
    shape,
    scale,
    ...(normalization && { normalization }),
    ...(columns && { columns: columns.inputs }),
    ...(task.dataset.kind === "text" && { characters: label.classNames }),
  };
}
