export { asNearError, lengthenFile, makeFile, NearError, NoRoomError, openFile } from "./files.js";
export { foreignFolder, makeOwnFolder, memoryFolderOf, type OwnFolder, removeStaleFolders, roomIn } from "./folder.js";
export {
  lineAligned,
  type SlotShape,
  slotShapes,
  slotsFile,
  sumsAt,
  type ThetaPart,
  thetaFile,
  thetaParts,
} from "./geometry.js";
export { isProof, leaveSecret, proofOf, readSecret } from "./proof.js";
export {
  createSequencePages,
  makeSequence,
  openSequence,
  type SequenceReader,
  type SequenceWriter,
} from "./sequence.js";
export { openWindow, PAGE_BYTES, type Window, wholePages } from "./window.js";
