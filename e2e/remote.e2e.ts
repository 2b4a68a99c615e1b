import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect, type Page, test } from "@playwright/test";
import { openRig, remove, type Rig, run, sh } from "./engine/rig.ts";
import { dockerFront, makeCertificates, tlsFront } from "./fixtures/fronts.ts";
import { serveSsh, type SshServer } from "./fixtures/ssh-server.ts";
import { look, openWindow, type TestWindow } from "./fixtures/window.ts";

// One window and two engines: this computer's, and another that is reached over ssh, over TLS with certificates, and
// as a Docker engine that has nothing of Slipway's own.
test.describe.configure({ mode: "serial", timeout: 300_000 });

let dir: string;
let here: Rig;
let there: Rig;
let ssh: SshServer;
let window: TestWindow;
const path = process.env["PATH"];

test.beforeAll(async ({ browser }) => {
  dir = mkdtempSync("/var/tmp/slipway-remote-");
  for (const name of ["ssh", "tls"]) mkdirSync(join(dir, name));
  [here, there] = await Promise.all([openRig("here"), openRig("there")]);
  await run(here.client, { name: "mine", Cmd: ["sleep", "3600"] });
  await run(there.client, { name: "theirs", ...sh("echo hello from there; sleep 3600"), HostConfig: { Binds: ["faraway:/data"] } });
  ssh = await serveSsh(join(dir, "ssh"), there.program.socket);
  process.env["PATH"] = `${ssh.bin}:${path}`;
  window = await openWindow(browser, here);
});
test.afterAll(async () => {
  process.env["PATH"] = path;
  await window?.[Symbol.asyncDispose]();
  await ssh?.[Symbol.asyncDispose]();
  for (const rig of [here, there]) {
    for (const { Id } of (await rig?.client.json<{ Id: string }[]>("GET", "/containers/json", { query: { all: 1 } })) ?? []) await remove(rig.client, Id);
    await rig?.[Symbol.asyncDispose]();
  }
  rmSync(dir, { recursive: true, force: true });
});

const pick = async (page: Page, name: string): Promise<void> => {
  await page.getByTestId("engine-picker").click();
  await page.getByRole("menuitem", { name }).click();
};
const isShown = async (page: Page, name: string): Promise<void> => {
  await expect(page.getByTestId("shown-engine")).toContainText(name);
  await expect(page.getByTestId("engine-picker")).toContainText(name);
  await expect(page.getByTestId("engine-state")).toContainText("running");
};

test("over ssh: why it is not reached is said with what to do, and once it is the engine is added", async () => {
  const { page } = window;
  await expect(page.getByTestId("row-mine")).toBeVisible();
  await pick(page, "Add an engine…");
  await page.getByLabel("Address").fill(`ssh://me@127.0.0.1:${ssh.port}`);
  await page.getByLabel("Name").fill("far away");
  ssh.powers.login = false;
  await page.getByRole("button", { name: "Check and add" }).click();
  await expect(page.getByTestId("error-notice")).toContainText("Permission denied (publickey)");
  await expect(page.getByTestId("error-notice")).toContainText("authorized_keys");
  await look(page, "remote-add-refused");
  ssh.powers.login = true;
  ssh.know(false);
  await page.getByRole("button", { name: "Check and add" }).click();
  await expect(page.getByTestId("error-notice")).toContainText("compare the fingerprint");
  ssh.know(true);
  await page.getByRole("button", { name: "Check and add" }).click();
  await expect(page.getByTestId("add-engine")).toBeHidden();
  await expect(page.getByTestId("toast")).toContainText("Added far away");
});

test("the window then shows that engine and nothing of the other: lists, logs, a shell", async () => {
  const { page } = window;
  await pick(page, "far away");
  await isShown(page, "far away");
  await expect(page.getByTestId("row-theirs")).toContainText("running");
  await expect(page.getByTestId("row-mine")).toHaveCount(0);
  await look(page, "remote-containers");
  await page.getByTestId("row-theirs").getByRole("link", { name: "theirs" }).click();
  await expect(page.getByTestId("log-view")).toContainText("hello from there");
  await page.getByRole("tab", { name: "Terminal" }).click();
  await page.getByTestId("terminal").click();
  await page.keyboard.type("echo shell-$((40+2))\n");
  await expect(page.getByTestId("terminal")).toContainText("shell-42");
  await page.getByRole("link", { name: /^Volumes/ }).click();
  await expect(page.getByTestId("row-faraway")).toBeVisible();
  await page.reload();
  await isShown(page, "far away");
  await expect(page.getByTestId("row-faraway")).toBeVisible();
  // One ssh carries all of it.
  expect(ssh.seen.commands).toBe(0);
});

test("what happens there is seen at once, and an engine that goes away says so and comes back by itself", async () => {
  const { page } = window;
  await page.getByRole("link", { name: /^Containers/ }).click();
  const id = await run(there.client, { name: "newcomer", Cmd: ["sleep", "3600"] });
  await expect(page.getByTestId("row-newcomer")).toBeVisible();
  await remove(there.client, id);
  await expect(page.getByTestId("row-newcomer")).toHaveCount(0);
  ssh.powers.login = false;
  ssh.cut();
  await expect(page.getByTestId("engine-banner")).toContainText("far away was not reached");
  await expect(page.getByTestId("row-theirs")).toBeVisible();
  ssh.powers.login = true;
  await expect(page.getByTestId("engine-banner")).toHaveCount(0);
});

test("back on this computer nothing of the other is left", async () => {
  const { page } = window;
  await page.getByRole("button", { name: "Show this computer" }).click();
  await expect(page.getByTestId("row-mine")).toBeVisible();
  await expect(page.getByTestId("shown-engine")).toHaveCount(0);
  await expect(page.getByTestId("row-theirs")).toHaveCount(0);
  await page.getByRole("link", { name: /^Volumes/ }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Volumes" })).toBeVisible();
  await expect(page.getByTestId("row-faraway")).toHaveCount(0);
});

test("where sockets are not forwarded the docker command there is used", async () => {
  const { page } = window;
  ssh.powers.forward = false;
  await page.keyboard.press("Control+k");
  await page.getByTestId("palette").getByRole("combobox").fill("add an engine");
  await page.keyboard.press("Enter");
  await page.getByLabel("Address").fill(`me@127.0.0.1:${ssh.port}`.replace("me@", "ssh://you@"));
  await page.getByLabel("Name").fill("by command");
  ssh.powers.docker = false;
  await page.getByRole("button", { name: "Check and add" }).click();
  await expect(page.getByTestId("error-notice")).toContainText("docker: command not found");
  ssh.powers.docker = true;
  await page.keyboard.press("Enter");
  await expect(page.getByTestId("add-engine")).toBeHidden();
  await page.keyboard.press("Control+k");
  await page.getByTestId("palette").getByRole("combobox").fill("show by command");
  await page.keyboard.press("Enter");
  await isShown(page, "by command");
  await expect(page.getByTestId("row-theirs")).toContainText("running");
  expect(ssh.seen.commands).toBeGreaterThan(0);
  await page.getByRole("button", { name: "Show this computer" }).click();
  await expect(page.getByTestId("row-mine")).toBeVisible();
});

test("over TLS: an unknown authority and a missing certificate are told apart, and with both it is shown", async () => {
  const { page } = window;
  const place = (name: string): string => join(dir, "tls", name);
  makeCertificates(join(dir, "tls"));
  await using front = await tlsFront(there.program.socket, join(dir, "tls"));
  await pick(page, "Add an engine…");
  const check = page.getByRole("button", { name: "Check and add" });
  await page.getByLabel("Address").fill(`tcp://127.0.0.1:${front.port}`);
  await page.getByLabel("Name").fill("certified");
  await page.getByLabel("Authority (CA)").fill(place("other.pem"));
  await check.click();
  await expect(page.getByTestId("error-notice")).toContainText("Name the authority (CA) that signed");
  await page.getByLabel("Authority (CA)").fill(place("ca.pem"));
  await check.click();
  await expect(page.getByTestId("error-notice")).toContainText("wants a client certificate");
  await page.getByLabel("Client certificate").fill(place("client.pem"));
  await page.getByLabel("Client key").fill(place("nothing.key"));
  await check.click();
  await expect(page.getByTestId("error-notice")).toContainText(`There is no file ${place("nothing.key")}`, { ignoreCase: true });
  await page.getByLabel("Client key").fill(place("client.key"));
  await check.click();
  await expect(page.getByTestId("add-engine")).toBeHidden();
  await pick(page, "certified");
  await isShown(page, "certified");
  await expect(page.getByTestId("row-theirs")).toContainText("running");
  await page.getByTestId("row-theirs").getByRole("link", { name: "theirs" }).click();
  await page.getByRole("tab", { name: "Terminal" }).click();
  await page.getByTestId("terminal").click();
  await page.keyboard.type("echo tls-$((40+2))\n");
  await expect(page.getByTestId("terminal")).toContainText("tls-42");
});

test("the list of engines is in the settings; removing one is undone by a click", async () => {
  const { page } = window;
  await page.getByRole("link", { name: "Settings" }).click();
  const entry = page.getByTestId("engine-by command");
  await expect(entry).toContainText("ssh://you@127.0.0.1");
  await look(page, "remote-settings");
  await entry.getByRole("button", { name: "Remove by command from the list" }).click();
  await expect(entry).toHaveCount(0);
  await page.getByRole("button", { name: "Undo" }).click();
  await expect(entry).toBeVisible();
  await page
    .getByTestId("engine-certified")
    .getByRole("button", { name: /^Remove/ })
    .click();
  await expect(page.getByTestId("shown-engine")).toHaveCount(0);
  await expect(page.getByTestId("row-mine")).toBeVisible();
});

test("of an engine that has Docker's API alone every page opens, and nothing else is asked of it", async () => {
  const { page } = window;
  await using front = await dockerFront(there.program.socket);
  await pick(page, "Add an engine…");
  await page.getByLabel("Address").fill(`tcp://127.0.0.1:${front.port}`);
  await page.getByLabel("Name").fill("plain docker");
  await page.getByLabel("Encrypted, with certificates (TLS)").uncheck();
  await expect(page.getByTestId("add-engine")).toContainText("Not encrypted");
  await page.getByRole("button", { name: "Check and add" }).click();
  await expect(page.getByTestId("add-engine")).toBeHidden();
  await pick(page, "plain docker");
  await isShown(page, "plain docker");
  const row = page.getByTestId("row-theirs");
  await expect(row).toContainText("running");
  const { Id: id } = await there.client.json<{ Id: string }>("GET", "/containers/theirs/json");
  const tabs = ["logs", "inspect", "files", "stats", "processes", "network", "events"].map((tab) => `containers/${id}/${tab}`);
  const lists = ["containers", "images", "volumes", "networks", "compose", "engine", "settings", "builds", "logs", "trash"];
  for (const address of [...tabs, "volumes/faraway", "images/busybox%3Alatest", "networks/bridge", ...lists]) {
    await page.evaluate((route) => void (location.hash = route), `/${address}`);
    await expect(page.locator("main h1").first()).toBeVisible();
    await expect(page.locator("main [role=status] svg.animate-spin")).toHaveCount(0);
    expect.soft(await page.getByTestId("error-notice").count(), address).toBe(0);
    expect.soft(await page.getByTestId("toast-error").count(), address).toBe(0);
    if (["builds", "logs", "trash"].includes(address)) await expect(page.locator("main")).toContainText("only with Slipway’s own engine");
    if (address === "builds") await look(page, "remote-docker-builds");
  }
  expect(front.beyond).toEqual([]);
  await page.getByRole("button", { name: "Show this computer" }).click();
  await expect(page.getByTestId("row-mine")).toBeVisible();
});
