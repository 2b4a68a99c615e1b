import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type StockDocker, stockDocker } from "../fixtures/docker.ts";
import { busybox, dockerArchive } from "../fixtures/image.ts";
import { giveToOrdinaryUser } from "../fixtures/ordinary-user.ts";
import type { EngineUnderTest } from "./cli.suite.ts";

const often = "interval: 1s, timeout: 20s, retries: 60";
const healthy = (url: string): string => `healthcheck: {test: [CMD, wget, -qO-, "${url}"], ${often}}`;

/** A shop: a web server before an API, which asks a database that keeps its rows on a volume. */
const project = `
services:
  web:
    image: busybox:latest
    command: httpd -f -p 80 -h /www
    ports: ["127.0.0.1:\${WEB_PORT:?}:80"]
    networks: {front: {aliases: [shop]}}
    configs: [{source: page, target: /www/page.html}]
    depends_on: {api: {condition: service_healthy}}
    ${healthy("http://api:8000/rows")}
  api:
    image: busybox:latest
    command:
      - sh
      - -c
      - |
        trap 'exit 0' TERM
        mkdir /tmp/w; cp /run/secrets/word /tmp/w/word; echo "$$GREETING"
        wget -qO /tmp/w/rows http://db:8080/rows || exit 9
        httpd -f -p 8000 -h /tmp/w & wait
    env_file: [api.env]
    secrets: [word]
    networks: [front, back]
    depends_on: {db: {condition: service_healthy}}
    ${healthy("http://127.0.0.1:8000/rows")}
  db:
    image: busybox:latest
    command: sh -c 'test -e /data/rows || echo "row of $$HOSTNAME" > /data/rows; exec httpd -f -p 8080 -h /data'
    volumes: ["rows:/data"]
    networks: [back]
    stop_grace_period: 1s
    ${healthy("http://127.0.0.1:8080/rows")}
  tool:
    image: busybox:latest
    profiles: [tools]
    command: wget -qO- http://db:8080/rows
    networks: [back]
networks: {front: {}, back: {internal: true}}
volumes: {rows: {}}
secrets: {word: {file: ./word.txt}}
configs: {page: {content: "a page for \${GREETED}\\n"}}
`;

/** The stock Compose plugin with a project that uses what projects use. */
export function composeSuite(name: string, engine: () => EngineUnderTest): void {
  describe(name, () => {
    const port = 18_200;
    let docker: StockDocker;
    let dir = "";
    const compose = (...args: readonly string[]): Promise<string> =>
      docker.ok("compose", "--progress", "quiet", "-p", "shop", "--project-directory", dir, ...args);
    const ids = async (): Promise<string[]> =>
      (await docker.ok("ps", "-aq", "--no-trunc", "--filter", "label=com.docker.compose.project=shop")).split("\n").sort();
    const states = async (): Promise<string[]> => (await compose("ps", "-a", "--format", "{{.Service}} {{.State}} {{.Health}}")).split("\n").sort();
    const page = (path: string) => docker.inside(["curl", "-sS", "--max-time", "60", `http://127.0.0.1:${port}/${path}`]);

    beforeAll(async () => {
      docker = stockDocker(engine());
      dir = mkdtempSync(join(engine().folder ?? "/var/tmp", "slipway-compose-"));
      giveToOrdinaryUser(dir);
      writeFileSync(join(dir, "busybox.tar"), await dockerArchive([await busybox("busybox:latest")]));
      writeFileSync(join(dir, "compose.yaml"), project);
      writeFileSync(join(dir, ".env"), `WEB_PORT=${port}\nGREETED=you\n`);
      writeFileSync(join(dir, "api.env"), "GREETING=good day\n");
      writeFileSync(join(dir, "word.txt"), "sesame\n");
      await docker.ok("load", "-i", join(dir, "busybox.tar"));
    });
    afterAll(async () => {
      await docker?.("compose", "-p", "shop", "--project-directory", dir, "--profile", "tools", "down", "-v", "-t", "0");
      rmSync(dir, { recursive: true, force: true });
    });

    test("up starts each service when those it depends on are healthy, with its secret, config and environment", async () => {
      await compose("up", "-d", "--wait");
      expect(await states()).toEqual(["api running healthy", "db running healthy", "web running healthy"]);
      expect((await page("page.html")).stdout).toBe("a page for you\n");
      expect(await compose("exec", "-T", "web", "wget", "-qO-", "http://api:8000/word")).toBe("sesame");
      expect(await compose("logs", "api")).toContain("api-1  | good day");
      expect(await compose("port", "web", "80")).toBe(`127.0.0.1:${port}`);
      expect(await compose("config", "--services")).toBe("db\napi\nweb");
    });

    test("names and aliases are known on their own network only, and an internal one has no way out", async () => {
      expect(await compose("exec", "-T", "api", "wget", "-qO-", "http://shop/page.html")).toBe("a page for you");
      const asked = await docker("compose", "-p", "shop", "--project-directory", dir, "exec", "-T", "web", "wget", "-qO-", "http://db:8080/rows");
      expect(asked.stderr).toContain("bad address");
      expect(await compose("exec", "-T", "db", "ip", "route")).not.toContain("default");
      expect((await docker("exec", "shop-db-1", "wget", "-qO-", "http://example.org/")).stderr).toContain("bad address");
    });

    test("up once more, and restart, make nothing anew; the volume keeps its rows when all is made anew", async () => {
      const before = await ids();
      await compose("up", "-d", "--wait");
      await compose("restart", "-t", "1");
      await compose("up", "-d", "--wait");
      expect(await ids()).toEqual(before);
      const rows = await compose("exec", "-T", "db", "cat", "/data/rows");
      await compose("up", "-d", "--wait", "-t", "1", "--force-recreate");
      expect((await ids()).filter((id) => before.includes(id))).toEqual([]);
      expect(await compose("exec", "-T", "db", "cat", "/data/rows")).toBe(rows);
      expect((await page("page.html")).stdout).toBe("a page for you\n");
    });

    test("scale, a profile's service run once, and one that changed alone made anew", async () => {
      await compose("up", "-d", "--wait", "--scale", "db=2", "--no-recreate");
      const addresses = await compose("exec", "-T", "api", "nslookup", "db");
      expect(addresses.match(/^Address: \d+\.\d+\.\d+\.\d+$/gm)).toHaveLength(2);
      expect(await compose("--profile", "tools", "run", "--rm", "-T", "tool")).toContain("row of ");
      await compose("up", "-d", "--wait", "-t", "1", "--scale", "db=1");
      const before = await ids();
      writeFileSync(join(dir, "api.env"), "GREETING=good night\n");
      await compose("up", "-d", "--wait", "-t", "1");
      expect((await ids()).filter((id) => !before.includes(id))).not.toHaveLength(0);
      expect(await compose("logs", "api")).toContain("good night");
      expect((await docker.ok("ps", "-q", "--no-trunc", "--filter", "label=com.docker.compose.service=db")).trim()).toBe(
        (await docker.ok("ps", "-q", "--no-trunc", "--filter", "volume=shop_rows")).trim(),
      );
    });

    test("what is written into a watched folder is in the container soon", async () => {
      mkdirSync(join(dir, "site"));
      writeFileSync(join(dir, "site/page"), "first\n");
      const develop = "develop: {watch: [{action: sync, path: ./site, target: /www}]}";
      writeFileSync(
        join(dir, "watch.yaml"),
        `services:\n  site:\n    image: busybox:latest\n    build: {context: .}\n    command: sleep 1000\n    ${develop}\n`,
      );
      const watched = ["compose", "-p", "shop", "-f", join(dir, "watch.yaml"), "--project-directory", dir];
      await docker.ok(...watched, "up", "-d", "--no-build");
      const stop = new AbortController();
      const watching = docker.with({ signal: stop.signal }, ...watched, "watch", "--no-up", "--quiet").catch((error: unknown) => error);
      const inside = async (path: string): Promise<string> => (await docker("exec", "shop-site-1", "cat", `/www/${path}`)).stdout;
      let written = 0;
      const writeAgain = async (): Promise<boolean> => {
        // It may not watch yet when the first one is written.
        writeFileSync(join(dir, "site/page"), `${(written += 1)}\n`);
        return Number(await inside("page")) > 0;
      };
      await expect.poll(writeAgain, { timeout: 60_000, interval: 1_000 }).toBe(true);
      stop.abort();
      await watching;
    });

    test("down -v leaves nothing of the project", async () => {
      await compose("down", "-v", "-t", "1");
      const mine = ["--filter", "label=com.docker.compose.project=shop"];
      for (const list of [
        ["ps", "-aq"],
        ["network", "ls", "-q"],
        ["volume", "ls", "-q"],
      ])
        expect(await docker.ok(...list, ...mine)).toBe("");
      expect((await page("")).code).not.toBe(0);
    });
  });
}
