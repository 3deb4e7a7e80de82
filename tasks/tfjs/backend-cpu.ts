/** TensorFlow.js's backend in plain JavaScript, loaded as its core is. */
import backend = require("@tensorflow/tfjs-backend-cpu");

export const { version_cpu } = backend;
