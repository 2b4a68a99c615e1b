import { afterAll, beforeAll } from "vitest";
import { type Program, startEngine } from "../fixtures/program.ts";
import { cliSuite } from "./cli.suite.ts";
import { composeSuite } from "./compose.suite.ts";
import { devcontainersSuite } from "./devcontainers.suite.ts";
import { librariesSuite } from "./libraries.suite.ts";
import { sharesSuite } from "./shares.suite.ts";
import { testcontainersSuite } from "./testcontainers.suite.ts";

let engine: Program;
const netns = `slipway-t${process.pid}`;

beforeAll(async () => {
  engine = await startEngine({ isolate: netns });
});
afterAll(async () => {
  await engine?.[Symbol.asyncDispose]();
});

cliSuite("the stock docker CLI against a native engine", () => ({ socket: engine.socket, netns, sharesLoopback: true }));
librariesSuite("dockerode and Compose against a native engine", () => ({ socket: engine.socket, netns, sharesLoopback: true }));
composeSuite("Compose against a native engine", () => ({ socket: engine.socket, netns, sharesLoopback: true }));
devcontainersSuite("the Dev Containers CLI against a native engine", () => ({ socket: engine.socket, netns, sharesLoopback: true }));
testcontainersSuite("Testcontainers against a native engine", () => ({ socket: engine.socket, netns, sharesLoopback: true }));
sharesSuite("folders in containers of a native engine", () => ({ socket: engine.socket, netns, sharesLoopback: true }), 20_000);
