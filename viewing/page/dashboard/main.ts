/** The dashboard's page: follows the run, keeps its history, and shows both. */
import {
  addEvaluation,
  addStep,
  type ChartSizes,
  createHistory,
  cutBack,
  type MutableHistory,
} from "../../charts/index.js";
import type { LiveStatus, Update } from "../../dashboard/view/live.js";
import { type ConnectionState, stateOf } from "../../dashboard/view/summary.js";
import { type Happening, withHappening } from "../../happenings/index.js";
import { createActions } from "./actions.js";
import { follow } from "./connection.js";
import { byId, setText } from "./dom.js";
import { createPlots } from "./plots.js";
import { showCheckpoints, showFacts, showHappenings, showProgress, showShards, showWorkers } from "./tables.js";

const HAPPENINGS_SHOWN = 200;

const plots = createPlots();
const actions = createActions();
let history: MutableHistory = createHistory();
let sizes: ChartSizes = { microBatchSize: 1, samplesTotal: Number.POSITIVE_INFINITY };
let happenings: readonly Happening[] = [];
let status: LiveStatus | undefined;
let connection: ConnectionState = "connecting";
let isShowingFacts = false;

function apply(update: Update): void {
  const [kind, value] = update;
  switch (kind) {
    case "phases":
      history.phases = [...value];
      return;
    case "step":
      addStep(history, value);
      if (status !== undefined) {
        const [step, samples, , learningRate, microBatchesPerStep, , noiseScale] = value;
        status = { ...status, step: step + 1, samples, learningRate, microBatchesPerStep, noiseScale };
      }
      return;
    case "evaluation":
      addEvaluation(history, value);
      if (status !== undefined) status = { ...status, testLoss: value[2], testAccuracy: value[3] };
      return;
    case "back":
      return cutBack(history, value);
    case "happening":
      happenings = withHappening(happenings, value, HAPPENINGS_SHOWN);
      showHappenings(happenings);
  }
}

/** Runs once per frame, however often it is called. */
function showFigures(): void {
  if (isShowingFacts) return;
  isShowingFacts = true;
  requestAnimationFrame(() => {
    isShowingFacts = false;
    showFacts(status, history);
    if (status !== undefined) showProgress(status);
  });
}

function showState(): void {
  const { text, tone } = stateOf(status, connection);
  setText(byId("state-text"), text);
  byId("state").dataset.tone = tone;
  document.body.dataset.connection = connection;
}

showFacts(undefined, history);
follow({
  connection(state) {
    if (state === connection) return;
    connection = state;
    showState();
  },
  snapshot(snapshot) {
    const { points, evaluations, phases, stepsPerPoint } = snapshot.history;
    history = { stepsPerPoint, points: [...points], evaluations: [...evaluations], phases: [...phases] };
    ({ happenings, sizes } = snapshot);
    showHappenings(happenings);
    plots.changed(history, sizes);
    showFigures();
  },
  updates(updates) {
    for (const update of updates) apply(update);
    plots.changed(history, sizes);
    showFigures();
  },
  status(now) {
    status = now;
    showState();
    plots.changed(history, sizes);
    showFigures();
    showWorkers(now.workers, actions?.drain);
    showShards(now.shards);
    showCheckpoints(now);
  },
});
