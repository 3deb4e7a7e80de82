export { createFeed, type Feed } from "./feed.js";
export { createStreams, type Streams } from "./streams.js";
