import type * as grpc from '@grpc/grpc-js';
import type { MessageTypeDefinition } from '@grpc/proto-loader';

import type { Attach as _isobatch_v1_Attach, Attach__Output as _isobatch_v1_Attach__Output } from './isobatch/v1/Attach.js';
import type { CheckpointNow as _isobatch_v1_CheckpointNow, CheckpointNow__Output as _isobatch_v1_CheckpointNow__Output } from './isobatch/v1/CheckpointNow.js';
import type { Checkpointed as _isobatch_v1_Checkpointed, Checkpointed__Output as _isobatch_v1_Checkpointed__Output } from './isobatch/v1/Checkpointed.js';
import type { Coefficients as _isobatch_v1_Coefficients, Coefficients__Output as _isobatch_v1_Coefficients__Output } from './isobatch/v1/Coefficients.js';
import type { Committed as _isobatch_v1_Committed, Committed__Output as _isobatch_v1_Committed__Output } from './isobatch/v1/Committed.js';
import type { ControlRequest as _isobatch_v1_ControlRequest, ControlRequest__Output as _isobatch_v1_ControlRequest__Output } from './isobatch/v1/ControlRequest.js';
import type { ControlResponse as _isobatch_v1_ControlResponse, ControlResponse__Output as _isobatch_v1_ControlResponse__Output } from './isobatch/v1/ControlResponse.js';
import type { CoordinatorClient as _isobatch_v1_CoordinatorClient, CoordinatorDefinition as _isobatch_v1_CoordinatorDefinition } from './isobatch/v1/Coordinator.js';
import type { Covered as _isobatch_v1_Covered, Covered__Output as _isobatch_v1_Covered__Output } from './isobatch/v1/Covered.js';
import type { CreateToken as _isobatch_v1_CreateToken, CreateToken__Output as _isobatch_v1_CreateToken__Output } from './isobatch/v1/CreateToken.js';
import type { Drain as _isobatch_v1_Drain, Drain__Output as _isobatch_v1_Drain__Output } from './isobatch/v1/Drain.js';
import type { DrainWorker as _isobatch_v1_DrainWorker, DrainWorker__Output as _isobatch_v1_DrainWorker__Output } from './isobatch/v1/DrainWorker.js';
import type { Evaluated as _isobatch_v1_Evaluated, Evaluated__Output as _isobatch_v1_Evaluated__Output } from './isobatch/v1/Evaluated.js';
import type { EvaluationLease as _isobatch_v1_EvaluationLease, EvaluationLease__Output as _isobatch_v1_EvaluationLease__Output } from './isobatch/v1/EvaluationLease.js';
import type { FetchSamplesRequest as _isobatch_v1_FetchSamplesRequest, FetchSamplesRequest__Output as _isobatch_v1_FetchSamplesRequest__Output } from './isobatch/v1/FetchSamplesRequest.js';
import type { GetStatusRequest as _isobatch_v1_GetStatusRequest, GetStatusRequest__Output as _isobatch_v1_GetStatusRequest__Output } from './isobatch/v1/GetStatusRequest.js';
import type { Heartbeat as _isobatch_v1_Heartbeat, Heartbeat__Output as _isobatch_v1_Heartbeat__Output } from './isobatch/v1/Heartbeat.js';
import type { JoinRequest as _isobatch_v1_JoinRequest, JoinRequest__Output as _isobatch_v1_JoinRequest__Output } from './isobatch/v1/JoinRequest.js';
import type { JoinResponse as _isobatch_v1_JoinResponse, JoinResponse__Output as _isobatch_v1_JoinResponse__Output } from './isobatch/v1/JoinResponse.js';
import type { KeepCheckpoints as _isobatch_v1_KeepCheckpoints, KeepCheckpoints__Output as _isobatch_v1_KeepCheckpoints__Output } from './isobatch/v1/KeepCheckpoints.js';
import type { LeaseComputed as _isobatch_v1_LeaseComputed, LeaseComputed__Output as _isobatch_v1_LeaseComputed__Output } from './isobatch/v1/LeaseComputed.js';
import type { LeaseFailed as _isobatch_v1_LeaseFailed, LeaseFailed__Output as _isobatch_v1_LeaseFailed__Output } from './isobatch/v1/LeaseFailed.js';
import type { Leaving as _isobatch_v1_Leaving, Leaving__Output as _isobatch_v1_Leaving__Output } from './isobatch/v1/Leaving.js';
import type { ListTokens as _isobatch_v1_ListTokens, ListTokens__Output as _isobatch_v1_ListTokens__Output } from './isobatch/v1/ListTokens.js';
import type { MergedRange as _isobatch_v1_MergedRange, MergedRange__Output as _isobatch_v1_MergedRange__Output } from './isobatch/v1/MergedRange.js';
import type { MergedRanges as _isobatch_v1_MergedRanges, MergedRanges__Output as _isobatch_v1_MergedRanges__Output } from './isobatch/v1/MergedRanges.js';
import type { MetricsLine as _isobatch_v1_MetricsLine, MetricsLine__Output as _isobatch_v1_MetricsLine__Output } from './isobatch/v1/MetricsLine.js';
import type { MicroBatchLease as _isobatch_v1_MicroBatchLease, MicroBatchLease__Output as _isobatch_v1_MicroBatchLease__Output } from './isobatch/v1/MicroBatchLease.js';
import type { NearAnswer as _isobatch_v1_NearAnswer, NearAnswer__Output as _isobatch_v1_NearAnswer__Output } from './isobatch/v1/NearAnswer.js';
import type { NearEvent as _isobatch_v1_NearEvent, NearEvent__Output as _isobatch_v1_NearEvent__Output } from './isobatch/v1/NearEvent.js';
import type { NearHello as _isobatch_v1_NearHello, NearHello__Output as _isobatch_v1_NearHello__Output } from './isobatch/v1/NearHello.js';
import type { NearInvitation as _isobatch_v1_NearInvitation, NearInvitation__Output as _isobatch_v1_NearInvitation__Output } from './isobatch/v1/NearInvitation.js';
import type { NearNode as _isobatch_v1_NearNode, NearNode__Output as _isobatch_v1_NearNode__Output } from './isobatch/v1/NearNode.js';
import type { NearPush as _isobatch_v1_NearPush, NearPush__Output as _isobatch_v1_NearPush__Output } from './isobatch/v1/NearPush.js';
import type { NearRequest as _isobatch_v1_NearRequest, NearRequest__Output as _isobatch_v1_NearRequest__Output } from './isobatch/v1/NearRequest.js';
import type { NearSlots as _isobatch_v1_NearSlots, NearSlots__Output as _isobatch_v1_NearSlots__Output } from './isobatch/v1/NearSlots.js';
import type { NearWeights as _isobatch_v1_NearWeights, NearWeights__Output as _isobatch_v1_NearWeights__Output } from './isobatch/v1/NearWeights.js';
import type { NearWelcome as _isobatch_v1_NearWelcome, NearWelcome__Output as _isobatch_v1_NearWelcome__Output } from './isobatch/v1/NearWelcome.js';
import type { Numerics as _isobatch_v1_Numerics, Numerics__Output as _isobatch_v1_Numerics__Output } from './isobatch/v1/Numerics.js';
import type { Pass as _isobatch_v1_Pass, Pass__Output as _isobatch_v1_Pass__Output } from './isobatch/v1/Pass.js';
import type { Passes as _isobatch_v1_Passes, Passes__Output as _isobatch_v1_Passes__Output } from './isobatch/v1/Passes.js';
import type { PushLease as _isobatch_v1_PushLease, PushLease__Output as _isobatch_v1_PushLease__Output } from './isobatch/v1/PushLease.js';
import type { PushMessage as _isobatch_v1_PushMessage, PushMessage__Output as _isobatch_v1_PushMessage__Output } from './isobatch/v1/PushMessage.js';
import type { PushResult as _isobatch_v1_PushResult, PushResult__Output as _isobatch_v1_PushResult__Output } from './isobatch/v1/PushResult.js';
import type { RejectedPushes as _isobatch_v1_RejectedPushes, RejectedPushes__Output as _isobatch_v1_RejectedPushes__Output } from './isobatch/v1/RejectedPushes.js';
import type { Restore as _isobatch_v1_Restore, Restore__Output as _isobatch_v1_Restore__Output } from './isobatch/v1/Restore.js';
import type { RestoreFailed as _isobatch_v1_RestoreFailed, RestoreFailed__Output as _isobatch_v1_RestoreFailed__Output } from './isobatch/v1/RestoreFailed.js';
import type { Restored as _isobatch_v1_Restored, Restored__Output as _isobatch_v1_Restored__Output } from './isobatch/v1/Restored.js';
import type { RevokeToken as _isobatch_v1_RevokeToken, RevokeToken__Output as _isobatch_v1_RevokeToken__Output } from './isobatch/v1/RevokeToken.js';
import type { RunEnded as _isobatch_v1_RunEnded, RunEnded__Output as _isobatch_v1_RunEnded__Output } from './isobatch/v1/RunEnded.js';
import type { SampleBatch as _isobatch_v1_SampleBatch, SampleBatch__Output as _isobatch_v1_SampleBatch__Output } from './isobatch/v1/SampleBatch.js';
import type { ShardClient as _isobatch_v1_ShardClient, ShardDefinition as _isobatch_v1_ShardDefinition } from './isobatch/v1/Shard.js';
import type { ShardAddress as _isobatch_v1_ShardAddress, ShardAddress__Output as _isobatch_v1_ShardAddress__Output } from './isobatch/v1/ShardAddress.js';
import type { ShardCommand as _isobatch_v1_ShardCommand, ShardCommand__Output as _isobatch_v1_ShardCommand__Output } from './isobatch/v1/ShardCommand.js';
import type { ShardFailed as _isobatch_v1_ShardFailed, ShardFailed__Output as _isobatch_v1_ShardFailed__Output } from './isobatch/v1/ShardFailed.js';
import type { ShardHello as _isobatch_v1_ShardHello, ShardHello__Output as _isobatch_v1_ShardHello__Output } from './isobatch/v1/ShardHello.js';
import type { ShardReady as _isobatch_v1_ShardReady, ShardReady__Output as _isobatch_v1_ShardReady__Output } from './isobatch/v1/ShardReady.js';
import type { ShardReport as _isobatch_v1_ShardReport, ShardReport__Output as _isobatch_v1_ShardReport__Output } from './isobatch/v1/ShardReport.js';
import type { ShardStatus as _isobatch_v1_ShardStatus, ShardStatus__Output as _isobatch_v1_ShardStatus__Output } from './isobatch/v1/ShardStatus.js';
import type { ShardStop as _isobatch_v1_ShardStop, ShardStop__Output as _isobatch_v1_ShardStop__Output } from './isobatch/v1/ShardStop.js';
import type { ShardTraffic as _isobatch_v1_ShardTraffic, ShardTraffic__Output as _isobatch_v1_ShardTraffic__Output } from './isobatch/v1/ShardTraffic.js';
import type { ShardWelcome as _isobatch_v1_ShardWelcome, ShardWelcome__Output as _isobatch_v1_ShardWelcome__Output } from './isobatch/v1/ShardWelcome.js';
import type { SmoothedNoise as _isobatch_v1_SmoothedNoise, SmoothedNoise__Output as _isobatch_v1_SmoothedNoise__Output } from './isobatch/v1/SmoothedNoise.js';
import type { Status as _isobatch_v1_Status, Status__Output as _isobatch_v1_Status__Output } from './isobatch/v1/Status.js';
import type { StepPlan as _isobatch_v1_StepPlan, StepPlan__Output as _isobatch_v1_StepPlan__Output } from './isobatch/v1/StepPlan.js';
import type { StopRun as _isobatch_v1_StopRun, StopRun__Output as _isobatch_v1_StopRun__Output } from './isobatch/v1/StopRun.js';
import type { SumsChunk as _isobatch_v1_SumsChunk, SumsChunk__Output as _isobatch_v1_SumsChunk__Output } from './isobatch/v1/SumsChunk.js';
import type { Superseded as _isobatch_v1_Superseded, Superseded__Output as _isobatch_v1_Superseded__Output } from './isobatch/v1/Superseded.js';
import type { TermOpened as _isobatch_v1_TermOpened, TermOpened__Output as _isobatch_v1_TermOpened__Output } from './isobatch/v1/TermOpened.js';
import type { TokenInfo as _isobatch_v1_TokenInfo, TokenInfo__Output as _isobatch_v1_TokenInfo__Output } from './isobatch/v1/TokenInfo.js';
import type { Transport as _isobatch_v1_Transport, Transport__Output as _isobatch_v1_Transport__Output } from './isobatch/v1/Transport.js';
import type { WatchMetricsRequest as _isobatch_v1_WatchMetricsRequest, WatchMetricsRequest__Output as _isobatch_v1_WatchMetricsRequest__Output } from './isobatch/v1/WatchMetricsRequest.js';
import type { WatchWeightsRequest as _isobatch_v1_WatchWeightsRequest, WatchWeightsRequest__Output as _isobatch_v1_WatchWeightsRequest__Output } from './isobatch/v1/WatchWeightsRequest.js';
import type { WeightsChunk as _isobatch_v1_WeightsChunk, WeightsChunk__Output as _isobatch_v1_WeightsChunk__Output } from './isobatch/v1/WeightsChunk.js';
import type { WeightsHeld as _isobatch_v1_WeightsHeld, WeightsHeld__Output as _isobatch_v1_WeightsHeld__Output } from './isobatch/v1/WeightsHeld.js';
import type { WeightsLost as _isobatch_v1_WeightsLost, WeightsLost__Output as _isobatch_v1_WeightsLost__Output } from './isobatch/v1/WeightsLost.js';
import type { WorkerCommand as _isobatch_v1_WorkerCommand, WorkerCommand__Output as _isobatch_v1_WorkerCommand__Output } from './isobatch/v1/WorkerCommand.js';
import type { WorkerFailed as _isobatch_v1_WorkerFailed, WorkerFailed__Output as _isobatch_v1_WorkerFailed__Output } from './isobatch/v1/WorkerFailed.js';
import type { WorkerReport as _isobatch_v1_WorkerReport, WorkerReport__Output as _isobatch_v1_WorkerReport__Output } from './isobatch/v1/WorkerReport.js';
import type { WorkerStatus as _isobatch_v1_WorkerStatus, WorkerStatus__Output as _isobatch_v1_WorkerStatus__Output } from './isobatch/v1/WorkerStatus.js';
import type { WriteCheckpoint as _isobatch_v1_WriteCheckpoint, WriteCheckpoint__Output as _isobatch_v1_WriteCheckpoint__Output } from './isobatch/v1/WriteCheckpoint.js';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  isobatch: {
    v1: {
      Attach: MessageTypeDefinition<_isobatch_v1_Attach, _isobatch_v1_Attach__Output>
      CheckpointNow: MessageTypeDefinition<_isobatch_v1_CheckpointNow, _isobatch_v1_CheckpointNow__Output>
      Checkpointed: MessageTypeDefinition<_isobatch_v1_Checkpointed, _isobatch_v1_Checkpointed__Output>
      Coefficients: MessageTypeDefinition<_isobatch_v1_Coefficients, _isobatch_v1_Coefficients__Output>
      Committed: MessageTypeDefinition<_isobatch_v1_Committed, _isobatch_v1_Committed__Output>
      ControlRequest: MessageTypeDefinition<_isobatch_v1_ControlRequest, _isobatch_v1_ControlRequest__Output>
      ControlResponse: MessageTypeDefinition<_isobatch_v1_ControlResponse, _isobatch_v1_ControlResponse__Output>
      Coordinator: SubtypeConstructor<typeof grpc.Client, _isobatch_v1_CoordinatorClient> & { service: _isobatch_v1_CoordinatorDefinition }
      Covered: MessageTypeDefinition<_isobatch_v1_Covered, _isobatch_v1_Covered__Output>
      CreateToken: MessageTypeDefinition<_isobatch_v1_CreateToken, _isobatch_v1_CreateToken__Output>
      Drain: MessageTypeDefinition<_isobatch_v1_Drain, _isobatch_v1_Drain__Output>
      DrainWorker: MessageTypeDefinition<_isobatch_v1_DrainWorker, _isobatch_v1_DrainWorker__Output>
      Evaluated: MessageTypeDefinition<_isobatch_v1_Evaluated, _isobatch_v1_Evaluated__Output>
      EvaluationLease: MessageTypeDefinition<_isobatch_v1_EvaluationLease, _isobatch_v1_EvaluationLease__Output>
      FetchSamplesRequest: MessageTypeDefinition<_isobatch_v1_FetchSamplesRequest, _isobatch_v1_FetchSamplesRequest__Output>
      GetStatusRequest: MessageTypeDefinition<_isobatch_v1_GetStatusRequest, _isobatch_v1_GetStatusRequest__Output>
      Heartbeat: MessageTypeDefinition<_isobatch_v1_Heartbeat, _isobatch_v1_Heartbeat__Output>
      JoinRequest: MessageTypeDefinition<_isobatch_v1_JoinRequest, _isobatch_v1_JoinRequest__Output>
      JoinResponse: MessageTypeDefinition<_isobatch_v1_JoinResponse, _isobatch_v1_JoinResponse__Output>
      KeepCheckpoints: MessageTypeDefinition<_isobatch_v1_KeepCheckpoints, _isobatch_v1_KeepCheckpoints__Output>
      LeaseComputed: MessageTypeDefinition<_isobatch_v1_LeaseComputed, _isobatch_v1_LeaseComputed__Output>
      LeaseFailed: MessageTypeDefinition<_isobatch_v1_LeaseFailed, _isobatch_v1_LeaseFailed__Output>
      Leaving: MessageTypeDefinition<_isobatch_v1_Leaving, _isobatch_v1_Leaving__Output>
      ListTokens: MessageTypeDefinition<_isobatch_v1_ListTokens, _isobatch_v1_ListTokens__Output>
      MergedRange: MessageTypeDefinition<_isobatch_v1_MergedRange, _isobatch_v1_MergedRange__Output>
      MergedRanges: MessageTypeDefinition<_isobatch_v1_MergedRanges, _isobatch_v1_MergedRanges__Output>
      MetricsLine: MessageTypeDefinition<_isobatch_v1_MetricsLine, _isobatch_v1_MetricsLine__Output>
      MicroBatchLease: MessageTypeDefinition<_isobatch_v1_MicroBatchLease, _isobatch_v1_MicroBatchLease__Output>
      NearAnswer: MessageTypeDefinition<_isobatch_v1_NearAnswer, _isobatch_v1_NearAnswer__Output>
      NearEvent: MessageTypeDefinition<_isobatch_v1_NearEvent, _isobatch_v1_NearEvent__Output>
      NearHello: MessageTypeDefinition<_isobatch_v1_NearHello, _isobatch_v1_NearHello__Output>
      NearInvitation: MessageTypeDefinition<_isobatch_v1_NearInvitation, _isobatch_v1_NearInvitation__Output>
      NearNode: MessageTypeDefinition<_isobatch_v1_NearNode, _isobatch_v1_NearNode__Output>
      NearPush: MessageTypeDefinition<_isobatch_v1_NearPush, _isobatch_v1_NearPush__Output>
      NearRequest: MessageTypeDefinition<_isobatch_v1_NearRequest, _isobatch_v1_NearRequest__Output>
      NearSlots: MessageTypeDefinition<_isobatch_v1_NearSlots, _isobatch_v1_NearSlots__Output>
      NearWeights: MessageTypeDefinition<_isobatch_v1_NearWeights, _isobatch_v1_NearWeights__Output>
      NearWelcome: MessageTypeDefinition<_isobatch_v1_NearWelcome, _isobatch_v1_NearWelcome__Output>
      Numerics: MessageTypeDefinition<_isobatch_v1_Numerics, _isobatch_v1_Numerics__Output>
      Pass: MessageTypeDefinition<_isobatch_v1_Pass, _isobatch_v1_Pass__Output>
      Passes: MessageTypeDefinition<_isobatch_v1_Passes, _isobatch_v1_Passes__Output>
      PushLease: MessageTypeDefinition<_isobatch_v1_PushLease, _isobatch_v1_PushLease__Output>
      PushMessage: MessageTypeDefinition<_isobatch_v1_PushMessage, _isobatch_v1_PushMessage__Output>
      PushResult: MessageTypeDefinition<_isobatch_v1_PushResult, _isobatch_v1_PushResult__Output>
      RejectedPushes: MessageTypeDefinition<_isobatch_v1_RejectedPushes, _isobatch_v1_RejectedPushes__Output>
      Restore: MessageTypeDefinition<_isobatch_v1_Restore, _isobatch_v1_Restore__Output>
      RestoreFailed: MessageTypeDefinition<_isobatch_v1_RestoreFailed, _isobatch_v1_RestoreFailed__Output>
      Restored: MessageTypeDefinition<_isobatch_v1_Restored, _isobatch_v1_Restored__Output>
      RevokeToken: MessageTypeDefinition<_isobatch_v1_RevokeToken, _isobatch_v1_RevokeToken__Output>
      RunEnded: MessageTypeDefinition<_isobatch_v1_RunEnded, _isobatch_v1_RunEnded__Output>
      SampleBatch: MessageTypeDefinition<_isobatch_v1_SampleBatch, _isobatch_v1_SampleBatch__Output>
      Shard: SubtypeConstructor<typeof grpc.Client, _isobatch_v1_ShardClient> & { service: _isobatch_v1_ShardDefinition }
      ShardAddress: MessageTypeDefinition<_isobatch_v1_ShardAddress, _isobatch_v1_ShardAddress__Output>
      ShardCommand: MessageTypeDefinition<_isobatch_v1_ShardCommand, _isobatch_v1_ShardCommand__Output>
      ShardFailed: MessageTypeDefinition<_isobatch_v1_ShardFailed, _isobatch_v1_ShardFailed__Output>
      ShardHello: MessageTypeDefinition<_isobatch_v1_ShardHello, _isobatch_v1_ShardHello__Output>
      ShardReady: MessageTypeDefinition<_isobatch_v1_ShardReady, _isobatch_v1_ShardReady__Output>
      ShardReport: MessageTypeDefinition<_isobatch_v1_ShardReport, _isobatch_v1_ShardReport__Output>
      ShardStatus: MessageTypeDefinition<_isobatch_v1_ShardStatus, _isobatch_v1_ShardStatus__Output>
      ShardStop: MessageTypeDefinition<_isobatch_v1_ShardStop, _isobatch_v1_ShardStop__Output>
      ShardTraffic: MessageTypeDefinition<_isobatch_v1_ShardTraffic, _isobatch_v1_ShardTraffic__Output>
      ShardWelcome: MessageTypeDefinition<_isobatch_v1_ShardWelcome, _isobatch_v1_ShardWelcome__Output>
      SmoothedNoise: MessageTypeDefinition<_isobatch_v1_SmoothedNoise, _isobatch_v1_SmoothedNoise__Output>
      Status: MessageTypeDefinition<_isobatch_v1_Status, _isobatch_v1_Status__Output>
      StepPlan: MessageTypeDefinition<_isobatch_v1_StepPlan, _isobatch_v1_StepPlan__Output>
      StopRun: MessageTypeDefinition<_isobatch_v1_StopRun, _isobatch_v1_StopRun__Output>
      SumsChunk: MessageTypeDefinition<_isobatch_v1_SumsChunk, _isobatch_v1_SumsChunk__Output>
      Superseded: MessageTypeDefinition<_isobatch_v1_Superseded, _isobatch_v1_Superseded__Output>
      TermOpened: MessageTypeDefinition<_isobatch_v1_TermOpened, _isobatch_v1_TermOpened__Output>
      TokenInfo: MessageTypeDefinition<_isobatch_v1_TokenInfo, _isobatch_v1_TokenInfo__Output>
      Transport: MessageTypeDefinition<_isobatch_v1_Transport, _isobatch_v1_Transport__Output>
      WatchMetricsRequest: MessageTypeDefinition<_isobatch_v1_WatchMetricsRequest, _isobatch_v1_WatchMetricsRequest__Output>
      WatchWeightsRequest: MessageTypeDefinition<_isobatch_v1_WatchWeightsRequest, _isobatch_v1_WatchWeightsRequest__Output>
      WeightsChunk: MessageTypeDefinition<_isobatch_v1_WeightsChunk, _isobatch_v1_WeightsChunk__Output>
      WeightsHeld: MessageTypeDefinition<_isobatch_v1_WeightsHeld, _isobatch_v1_WeightsHeld__Output>
      WeightsLost: MessageTypeDefinition<_isobatch_v1_WeightsLost, _isobatch_v1_WeightsLost__Output>
      WorkerCommand: MessageTypeDefinition<_isobatch_v1_WorkerCommand, _isobatch_v1_WorkerCommand__Output>
      WorkerFailed: MessageTypeDefinition<_isobatch_v1_WorkerFailed, _isobatch_v1_WorkerFailed__Output>
      WorkerReport: MessageTypeDefinition<_isobatch_v1_WorkerReport, _isobatch_v1_WorkerReport__Output>
      WorkerStatus: MessageTypeDefinition<_isobatch_v1_WorkerStatus, _isobatch_v1_WorkerStatus__Output>
      WriteCheckpoint: MessageTypeDefinition<_isobatch_v1_WriteCheckpoint, _isobatch_v1_WriteCheckpoint__Output>
    }
  }
}

