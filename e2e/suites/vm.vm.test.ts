import { afterAll, beforeAll } from "vitest";
import { type Program, startMachine } from "../fixtures/program.ts";
import { apparmorSuite } from "./apparmor.suite.ts";
import { cliSuite } from "./cli.suite.ts";
import { limitsSuite } from "./limits.suite.ts";
import { testcontainersSuite } from "./testcontainers.suite.ts";

let machine: Program;

beforeAll(async () => {
  machine = await startMachine();
});
afterAll(async () => {
  await machine?.[Symbol.asyncDispose]();
});

cliSuite("the stock docker CLI through the VM's socket", () => ({ socket: machine.socket, sharesLoopback: false }));
apparmorSuite("AppArmor in the VM", () => ({ socket: machine.socket }));
limitsSuite("limits in the VM", () => ({ socket: machine.socket }));
testcontainersSuite("Testcontainers through the VM", () => ({ socket: machine.socket, sharesLoopback: false }));
