/** TensorFlow.js's layers, loaded as its core is. */
import layers = require("@tensorflow/tfjs-layers");

export { layers };
