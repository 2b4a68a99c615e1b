import { type FromLogs, serveLogs, type ToLogs } from "./server.ts";

// The worker's entry: one worker holds one log, so that a flood of lines never stops the window.
serveLogs({
  post: (message: FromLogs) => postMessage(message),
  listen: (take) => addEventListener("message", (event: MessageEvent<ToLogs>) => take(event.data)),
});
