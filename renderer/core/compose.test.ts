import { expect, test } from "vitest";
import type { ContainerSummary } from "#api/containers.ts";
import { composeCommand, composeProjects, composeStatus, downOrder } from "./compose.ts";

const one = (
  service: string,
  number: number,
  more: Partial<ContainerSummary> & { readonly labels?: Readonly<Record<string, string>> } = {},
): ContainerSummary => ({
  Id: `${service}${number}`,
  Names: [`/shop-${service}-${number}`],
  Image: "busybox",
  ImageID: "sha256:1",
  Command: "sleep",
  Created: number,
  Ports: [],
  State: "running",
  Status: "Up 2 minutes",
  HostConfig: { NetworkMode: "shop_default" },
  NetworkSettings: { Networks: {} },
  Mounts: [],
  ...more,
  Labels: {
    "com.docker.compose.project": "shop",
    "com.docker.compose.service": service,
    "com.docker.compose.container-number": String(number),
    "com.docker.compose.project.working_dir": `/home/me/shop${number}`,
    "com.docker.compose.project.config_files": "/home/me/shop/a.yml,/home/me/shop/b c.yml",
    ...more.labels,
  },
});

test("a project is its services with their containers in order; one-off runs and other containers are none of it", () => {
  const oneOff = one("web", 9, { labels: { "com.docker.compose.oneoff": "True" } });
  const [project, ...others] = composeProjects([one("web", 10), oneOff, one("db", 1, { State: "exited" }), one("web", 2), { ...one("x", 1), Labels: {} }]);
  expect(others).toEqual([]);
  expect(project?.services.map(({ name, members }) => [name, members.map(({ Id }) => Id)])).toEqual([
    ["db", ["db1"]],
    ["web", ["web2", "web10"]],
  ]);
  expect(project?.folder).toBe("/home/me/shop10");
  expect(composeStatus(project?.members ?? [])).toBe("running(2), exited(1)");
});

test("services go down before those they were started after, also where these go round in a circle", () => {
  const after = (text: string) => ({ labels: { "com.docker.compose.depends_on": text } });
  const names = (containers: readonly ContainerSummary[]) => downOrder(composeProjects(containers)[0]?.services ?? []).map(({ name }) => name);
  expect(
    names([one("db", 1), one("api", 1, after("db:service_started:false")), one("web", 1, after("api:service_healthy:true,gone:service_started:false"))]),
  ).toEqual(["web", "api", "db"]);
  expect(names([one("a", 1, after("b:x:y")), one("b", 1, after("a:x:y"))]).toSorted()).toEqual(["a", "b"]);
});

test("a command brings the project up as it was: name, files, folder", () => {
  const [project] = composeProjects([one("web", 1)]);
  if (project === undefined) throw new Error("no project");
  expect(composeCommand(project, "up -d")).toBe(
    "docker compose -p shop -f /home/me/shop/a.yml -f '/home/me/shop/b c.yml' --project-directory /home/me/shop1 up -d",
  );
});
