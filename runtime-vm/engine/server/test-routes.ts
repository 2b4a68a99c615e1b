import { text } from "node:stream/consumers";
import { string, struct } from "#api/decode.ts";
import { hijacked, route } from "./router.ts";

/** The body that the routes of these tests take. */
export const shape = struct("thing.Request", { Name: string });

/** A hijacked connection: says what came in the body, and what after it. */
export const raw = route(
  "POST",
  "/raw",
  async ({ hijack, json }) => {
    const body = await json(shape);
    const socket = hijack({ contentType: "application/vnd.docker.raw-stream" });
    socket.end(`body ${JSON.stringify(body)} input ${await text(socket)}`);
    return hijacked;
  },
  { upgrades: true },
);
