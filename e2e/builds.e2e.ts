import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, type Page, test } from "@playwright/test";
import { openRig, remove, type Rig, run, sh, wait } from "./engine/rig.ts";
import { look, openWindow, type TestWindow } from "./fixtures/window.ts";

// Builds in the window over a native engine: a folder is chosen, built, built again from the cache, mended, cancelled.
test.describe.configure({ mode: "serial", timeout: 180_000 });

let rig: Rig;
let window: TestWindow;
let page: Page;
let shared: string;

const dockerfile = (last: string): string => `FROM busybox AS base\nARG WHO=nobody\nRUN echo hello $WHO\nFROM base\nCOPY a.txt /a\nRUN ${last}\n`;
const write = (last: string): void => writeFileSync(join(shared, "shop", "Dockerfile"), dockerfile(last));

test.beforeAll(async ({ browser }) => {
  rig = await openRig("builds");
  shared = join(rig.program.root, "shared");
  mkdirSync(join(shared, "shop"), { recursive: true });
  writeFileSync(join(shared, "shop", "a.txt"), "what is copied");
  write("cat /a");
  window = await openWindow(browser, rig, { folders: [shared] });
  page = window.page;
});
test.afterAll(async () => {
  await window?.[Symbol.asyncDispose]();
  await rig?.[Symbol.asyncDispose]();
});

const state = () => page.getByTestId("build-state");
const step = (name: string) => page.getByTestId("build-step").filter({ hasText: name });
test("a folder is chosen among the shared ones and built, and its steps are seen", async () => {
  await page.getByRole("navigation").getByRole("link", { name: "Builds" }).click();
  await expect(page.getByRole("heading", { name: "No builds yet" })).toBeVisible();
  await look(page, "empty");
  await page.getByTestId("build").first().click();
  await page.getByRole("button", { name: "Browse…" }).click();
  const picker = page.getByTestId("folder-picker");
  await picker.getByRole("button", { name: shared }).click();
  await picker.getByRole("button", { name: "shop" }).click();
  await expect(picker).toContainText("Dockerfile");
  await look(page, "form");
  await picker.getByRole("button", { name: "Use this folder" }).click();
  await page.getByLabel("Image name").fill("shop:1");
  await page.getByLabel("Build arguments").fill("WHO=world");
  await page.getByTestId("build-submit").click();
  await expect(state()).toHaveText("done");
  await step("RUN echo hello").click();
  await expect(step("RUN echo hello")).toContainText("hello world");
  const image = await rig.client.json<{ RepoTags: string[] }>("GET", "/images/shop:1/json");
  expect(image.RepoTags).toContain("shop:1");
});

test("again, all is cached; without the cache, all runs anew", async () => {
  await page.getByRole("button", { name: "Build again", exact: true }).click();
  await expect(step("RUN cat /a")).toContainText("CACHED");
  await page.getByRole("button", { name: "Build again without cache" }).click();
  await expect(page.getByTestId("build-steps")).not.toContainText("CACHED");
  await expect(state()).toHaveText("done");
  await look(page, "done");
});

test("a failure marks its line of the Dockerfile and shows what the step said", async () => {
  write("echo went wrong >&2; exit 7");
  await page.getByRole("button", { name: "Build again", exact: true }).click();
  await expect(state()).toHaveText("failed");
  await expect(step("exit 7")).toContainText("went wrong");
  await expect(page.getByTestId("failed-source")).toContainText("Dockerfile, line 6");
  await expect(page.getByTestId("failed-source").getByText("exit 7")).toBeInViewport({ ratio: 1 });
  await look(page, "failed");
});

test("a build is cancelled, and nothing of it goes on", async () => {
  write("echo waiting; sleep 600");
  await page.getByRole("button", { name: "Build again", exact: true }).click();
  await expect(step("sleep 600")).toContainText("waiting");
  await look(page, "running");
  await page.getByTestId("build-cancel").click();
  await expect(state()).toHaveText("cancelled");
  await expect.poll(async () => (await rig.client.json<{ state: string }[]>("GET", "/slipway/builds")).map((one) => one.state)).not.toContain("running");
});

test("the history has them all; one is deleted, and the cache is freed after a look at what goes", async () => {
  await page.getByRole("button", { name: "Back" }).click();
  await expect(page.getByTestId("table-builds").getByTestId("row-shop:1")).toHaveCount(5);
  await look(page, "list");
  await page.getByTestId("row-shop:1").first().getByRole("button", { name: "Actions for shop:1" }).click();
  await page.getByRole("menuitem", { name: "Delete from history…" }).click();
  await page.getByTestId("confirm").getByRole("button", { name: "Delete 1 build" }).click();
  await expect(page.getByTestId("row-shop:1")).toHaveCount(4);
  await page.getByTestId("build-cache").click();
  await look(page, "cache");
  await page.getByTestId("confirm").getByRole("button").last().click();
  await expect(page.getByTestId("toast").last()).toContainText("reclaimed");
});

test("an image's files are seen layer by layer: what each brings, and what a later one takes away", async () => {
  const { client } = rig;
  const committed = async (image: string, command: string, tag: string): Promise<void> => {
    const id = await run(client, { ...sh(command), Image: image });
    expect(await wait(client, id)).toBe(0);
    await client.json("POST", "/commit", { query: { container: id, repo: "layered", tag }, json: {} });
    await remove(client, id);
  };
  await committed("busybox", "mkdir /data; head -c 3000000 /dev/zero > /data/large; echo kept > /data/kept", "1");
  await committed("layered:1", "rm /data/large; echo more > /data/more", "2");
  await page.goto(page.url().replace(/#.*/, "#/images/layered%3A2"));
  await page.getByRole("tab", { name: "Files" }).click();
  const files = page.getByTestId("image-files");
  await expect(files).toContainText("3 MB of");
  await files.getByTestId("file-data").getByRole("button").click();
  await expect(files.getByTestId("file-more")).toBeVisible();
  await expect(files.getByTestId("file-kept")).toBeVisible();
  await expect(files.getByTestId("file-large")).toHaveCount(0);
  await look(page, "files");
  await files.getByRole("button", { name: "Layer 3" }).click();
  await files.getByTestId("file-data").getByRole("button").click();
  await expect(files.locator("s")).toHaveText("large");
  await expect(files.getByTestId("file-kept")).toHaveCount(0);
  await look(page, "layer");
});
