export { availableCores, type MachineShare, machineShare } from "./machine.js";
