// Original file: proto/isobatch/v1/isobatch.proto

import type { WorkerStatus as _isobatch_v1_WorkerStatus, WorkerStatus__Output as _isobatch_v1_WorkerStatus__Output } from '../../isobatch/v1/WorkerStatus.js';
import type { ShardStatus as _isobatch_v1_ShardStatus, ShardStatus__Output as _isobatch_v1_ShardStatus__Output } from '../../isobatch/v1/ShardStatus.js';
import type { Long } from '@grpc/proto-loader';

export interface Status {
  'runId'?: (string);
  'task'?: (string);
  'phase'?: (string);
  'term'?: (number | string | Long);
  'step'?: (number | string | Long);
  'steps'?: (number | string | Long);
  'samples'?: (number | string | Long);
  'samplesTotal'?: (number | string | Long);
  'loss'?: (number | string);
  'samplesPerSecond'?: (number | string);
  'microBatchesPerStep'?: (number);
  'workers'?: (_isobatch_v1_WorkerStatus)[];
  'shards'?: (_isobatch_v1_ShardStatus)[];
  'checkpointStep'?: (number | string | Long);
  'evaluationLoss'?: (number | string);
  'evaluationAccuracy'?: (number | string);
  'secondsLeft'?: (number | string);
  'version'?: (string);
  'evaluated'?: (boolean);
  'microBatchSize'?: (number);
  'noiseScale'?: (number | string);
  'workersAdvised'?: (number);
  'advice'?: (string);
  'learningRate'?: (number | string);
  'gamma1'?: (number | string);
  'gamma2'?: (number | string);
  'kappaRule'?: (string);
  'failure'?: (string);
  'workerFailure'?: (string);
  'modelKind'?: (string);
  'modelLayers'?: (number);
  'parameters'?: (number | string | Long);
  'trainedParameters'?: (number | string | Long);
  'trainingSamples'?: (number | string | Long);
  'testSamples'?: (number | string | Long);
  'evaluationStep'?: (number | string | Long);
}

export interface Status__Output {
  'runId': (string);
  'task': (string);
  'phase': (string);
  'term': (number);
  'step': (number);
  'steps': (number);
  'samples': (number);
  'samplesTotal': (number);
  'loss': (number);
  'samplesPerSecond': (number);
  'microBatchesPerStep': (number);
  'workers': (_isobatch_v1_WorkerStatus__Output)[];
  'shards': (_isobatch_v1_ShardStatus__Output)[];
  'checkpointStep': (number);
  'evaluationLoss': (number);
  'evaluationAccuracy': (number);
  'secondsLeft': (number);
  'version': (string);
  'evaluated': (boolean);
  'microBatchSize': (number);
  'noiseScale': (number);
  'workersAdvised': (number);
  'advice': (string);
  'learningRate': (number);
  'gamma1': (number);
  'gamma2': (number);
  'kappaRule': (string);
  'failure': (string);
  'workerFailure': (string);
  'modelKind': (string);
  'modelLayers': (number);
  'parameters': (number);
  'trainedParameters': (number);
  'trainingSamples': (number);
  'testSamples': (number);
  'evaluationStep': (number);
}
