// Original file: proto/isobatch/v1/isobatch.proto

import type { NearInvitation as _isobatch_v1_NearInvitation, NearInvitation__Output as _isobatch_v1_NearInvitation__Output } from '../../isobatch/v1/NearInvitation.js';
import type { NearWelcome as _isobatch_v1_NearWelcome, NearWelcome__Output as _isobatch_v1_NearWelcome__Output } from '../../isobatch/v1/NearWelcome.js';
import type { NearWeights as _isobatch_v1_NearWeights, NearWeights__Output as _isobatch_v1_NearWeights__Output } from '../../isobatch/v1/NearWeights.js';
import type { NearAnswer as _isobatch_v1_NearAnswer, NearAnswer__Output as _isobatch_v1_NearAnswer__Output } from '../../isobatch/v1/NearAnswer.js';

export interface NearEvent {
  'invitation'?: (_isobatch_v1_NearInvitation | null);
  'welcome'?: (_isobatch_v1_NearWelcome | null);
  'weights'?: (_isobatch_v1_NearWeights | null);
  'answer'?: (_isobatch_v1_NearAnswer | null);
  'event'?: "invitation"|"welcome"|"weights"|"answer";
}

export interface NearEvent__Output {
  'invitation'?: (_isobatch_v1_NearInvitation__Output | null);
  'welcome'?: (_isobatch_v1_NearWelcome__Output | null);
  'weights'?: (_isobatch_v1_NearWeights__Output | null);
  'answer'?: (_isobatch_v1_NearAnswer__Output | null);
  'event'?: "invitation"|"welcome"|"weights"|"answer";
}
