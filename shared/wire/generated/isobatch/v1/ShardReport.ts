// Original file: proto/isobatch/v1/isobatch.proto

import type { ShardHello as _isobatch_v1_ShardHello, ShardHello__Output as _isobatch_v1_ShardHello__Output } from '../../isobatch/v1/ShardHello.js';
import type { Restored as _isobatch_v1_Restored, Restored__Output as _isobatch_v1_Restored__Output } from '../../isobatch/v1/Restored.js';
import type { RestoreFailed as _isobatch_v1_RestoreFailed, RestoreFailed__Output as _isobatch_v1_RestoreFailed__Output } from '../../isobatch/v1/RestoreFailed.js';
import type { Covered as _isobatch_v1_Covered, Covered__Output as _isobatch_v1_Covered__Output } from '../../isobatch/v1/Covered.js';
import type { Committed as _isobatch_v1_Committed, Committed__Output as _isobatch_v1_Committed__Output } from '../../isobatch/v1/Committed.js';
import type { Checkpointed as _isobatch_v1_Checkpointed, Checkpointed__Output as _isobatch_v1_Checkpointed__Output } from '../../isobatch/v1/Checkpointed.js';
import type { ShardReady as _isobatch_v1_ShardReady, ShardReady__Output as _isobatch_v1_ShardReady__Output } from '../../isobatch/v1/ShardReady.js';
import type { ShardFailed as _isobatch_v1_ShardFailed, ShardFailed__Output as _isobatch_v1_ShardFailed__Output } from '../../isobatch/v1/ShardFailed.js';
import type { ShardTraffic as _isobatch_v1_ShardTraffic, ShardTraffic__Output as _isobatch_v1_ShardTraffic__Output } from '../../isobatch/v1/ShardTraffic.js';
import type { Superseded as _isobatch_v1_Superseded, Superseded__Output as _isobatch_v1_Superseded__Output } from '../../isobatch/v1/Superseded.js';

export interface ShardReport {
  'hello'?: (_isobatch_v1_ShardHello | null);
  'restored'?: (_isobatch_v1_Restored | null);
  'restoreFailed'?: (_isobatch_v1_RestoreFailed | null);
  'covered'?: (_isobatch_v1_Covered | null);
  'committed'?: (_isobatch_v1_Committed | null);
  'checkpointed'?: (_isobatch_v1_Checkpointed | null);
  'ready'?: (_isobatch_v1_ShardReady | null);
  'failed'?: (_isobatch_v1_ShardFailed | null);
  'traffic'?: (_isobatch_v1_ShardTraffic | null);
  'superseded'?: (_isobatch_v1_Superseded | null);
  'report'?: "hello"|"restored"|"restoreFailed"|"covered"|"committed"|"checkpointed"|"ready"|"failed"|"traffic"|"superseded";
}

export interface ShardReport__Output {
  'hello'?: (_isobatch_v1_ShardHello__Output | null);
  'restored'?: (_isobatch_v1_Restored__Output | null);
  'restoreFailed'?: (_isobatch_v1_RestoreFailed__Output | null);
  'covered'?: (_isobatch_v1_Covered__Output | null);
  'committed'?: (_isobatch_v1_Committed__Output | null);
  'checkpointed'?: (_isobatch_v1_Checkpointed__Output | null);
  'ready'?: (_isobatch_v1_ShardReady__Output | null);
  'failed'?: (_isobatch_v1_ShardFailed__Output | null);
  'traffic'?: (_isobatch_v1_ShardTraffic__Output | null);
  'superseded'?: (_isobatch_v1_Superseded__Output | null);
  'report'?: "hello"|"restored"|"restoreFailed"|"covered"|"committed"|"checkpointed"|"ready"|"failed"|"traffic"|"superseded";
}
