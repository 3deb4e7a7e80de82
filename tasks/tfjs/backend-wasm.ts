/** TensorFlow.js's backend in WebAssembly, loaded as its core is. */
import backend = require("@tensorflow/tfjs-backend-wasm");

export const { setThreadsCount, setWasmPaths, version_wasm } = backend;
