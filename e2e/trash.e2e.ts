import { expect, test } from "@playwright/test";
import { create, inspect, type Rig, run, sh, wait } from "./engine/rig.ts";
import { look, openTrashWindow, type TestWindow } from "./fixtures/window.ts";

// The trash in the window, over a native engine: nothing that is deleted is lost.
test.describe.configure({ mode: "serial", timeout: 180_000 });

let rig: Rig;
let window: TestWindow;
const undo = new AsyncDisposableStack();

test.beforeAll(async ({ browser }) => {
  ({ rig, window } = undo.use(await openTrashWindow(browser, "tw")));
});
test.afterAll(() => undo.disposeAsync());

test("a container that is deleted comes back by Undo, the same as before", async () => {
  const { page } = window;
  const id = await run(rig.client, { name: "notes", ...sh("echo kept > /note") });
  await wait(rig.client, id);
  const before = await inspect(rig.client, id);
  const row = page.getByTestId("row-notes");
  // One that the list still shows as running is asked about first.
  await expect(row).toContainText("exited");
  await row.click({ button: "right" });
  await page.getByRole("menuitem", { name: "Delete…" }).click();
  await expect(row).toBeHidden();
  await expect(page.getByTestId("confirm")).toBeHidden();
  await page.getByTestId("undo").click();
  await expect(row).toBeVisible();
  await expect(page.getByText("notes is back")).toBeVisible();
  expect(await inspect(rig.client, id)).toEqual(before);
});

test("an image that is deleted comes back by Undo; of one that has another name the name alone is asked about", async () => {
  const { page } = window;
  await run(rig.client, { name: "made", ...sh("echo made > /made") }).then((id) => wait(rig.client, id));
  const { Id } = await rig.client.json<{ Id: string }>("POST", "/commit", { query: { container: "made", repo: "made", tag: "1" } });
  const row = page.getByTestId("row-made:1");
  const choose = async (): Promise<void> => {
    await row.click({ button: "right" });
    await page.getByRole("menuitem", { name: "Delete…" }).click();
  };
  await page
    .getByRole("navigation")
    .getByRole("link", { name: /Images/ })
    .click();
  await choose();
  await expect(row).toBeHidden();
  await expect(page.getByTestId("confirm")).toBeHidden();
  await page.getByTestId("undo").click();
  await expect(row).toBeVisible();
  expect((await rig.client.json<{ Id: string }>("GET", "/images/made:1/json")).Id).toBe(Id);
  await rig.client.call("POST", "/images/made:1/tag", { query: { repo: "made", tag: "2" } });
  await expect(page.getByTestId("row-made:2")).toBeVisible();
  await choose();
  await page.getByTestId("confirm").getByRole("button", { name: "Delete 1 image" }).click();
  await expect(row).toBeHidden();
  await rig.client.call("DELETE", "/images/made:2");
  await rig.client.call("DELETE", "/containers/made");
  await rig.client.call("DELETE", "/slipway/trash");
});

test("what another client prunes is in the trash, and is brought back or let go from there", async () => {
  const { page } = window;
  await rig.client.call("POST", "/volumes/create", { json: { Name: "data" } });
  await create(rig.client, { name: "other", ...sh("true") });
  await rig.client.json("POST", "/containers/prune");
  await rig.client.call("DELETE", "/volumes/data");
  await page.getByRole("navigation").getByRole("link", { name: /Trash/ }).click();
  for (const name of ["notes", "other", "data"]) await expect(page.getByTestId(`row-${name}`)).toBeVisible();
  await look(page, "trash");
  await page.getByRole("button", { name: "Restore other" }).click();
  await expect(page.getByTestId("row-other")).toBeHidden();
  expect((await inspect(rig.client, "other")).State.Status).toBe("created");
  await page.getByTestId("empty-trash").click();
  await page.getByTestId("confirm").getByRole("button", { name: "Empty trash" }).click();
  await expect(page.getByText("The trash is empty")).toBeVisible();
  await look(page, "trash-empty");
  // Ten places are more than a low window has room for: the last is reached all the same.
  await page.setViewportSize({ width: 640, height: 400 });
  await page
    .getByRole("navigation")
    .getByRole("link", { name: /Settings/ })
    .click();
  await expect(page.getByRole("heading", { level: 1, name: "Settings" })).toBeVisible();
});
