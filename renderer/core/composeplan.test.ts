import { expect, test } from "vitest";
import type { ContainerInspect, ContainerSummary } from "#api/containers.ts";
import { type PlanFacts, upPlan } from "./composeplan.ts";

const member = (service: string, number: number, hash: string, State = "running"): ContainerSummary =>
  ({
    Id: `${service}${number}`,
    Names: [`/shop-${service}-${number}`],
    State,
    Labels: {
      "com.docker.compose.service": service,
      "com.docker.compose.container-number": String(number),
      "com.docker.compose.config-hash": hash,
      "com.docker.compose.image": "sha256:one",
    },
  }) as unknown as ContainerSummary;

const inspect = {
  Image: "sha256:one",
  Config: {
    Image: "nginx:1",
    Cmd: ["run"],
    Entrypoint: null,
    Env: ["PATH=/bin", "LEVEL=low", "OLD=1"],
    Labels: { "com.docker.compose.service": "web" },
    User: "",
    WorkingDir: "",
    Tty: false,
  },
  HostConfig: { PortBindings: { "80/tcp": [{ HostIp: "", HostPort: "8080" }] }, RestartPolicy: { Name: "no", MaximumRetryCount: 0 } },
  Mounts: [{ Type: "volume", Name: "shop_data", Source: "/x", Destination: "/data", RW: true }],
} as unknown as ContainerInspect;

const facts: PlanFacts = {
  model: {
    name: "shop",
    volumes: { data: { name: "shop_data" } },
    services: {
      db: { image: "nginx:1" },
      web: {
        image: "nginx:1",
        scale: 3,
        environment: { LEVEL: "high" },
        ports: [{ target: 80, published: "8081", protocol: "tcp" }],
        volumes: [{ type: "volume", source: "data", target: "/data" }],
        restart: "always",
      },
    },
  },
  hashes: { db: "d", web: "w" },
  members: [member("db", 1, "d"), member("db", 2, "d"), member("web", 1, "old"), member("web", 3, "w", "exited"), member("cache", 1, "c")],
  inspected: new Map([["web1", inspect]]),
  images: new Map([["sha256:one", { Env: ["PATH=/bin"], Cmd: ["run"] }]]),
  imageIds: new Map([["nginx:1", "sha256:one"]]),
};

test("a plan says of each container what bringing up does with it", () => {
  expect(upPlan(facts).map(({ container, action }) => `${container} ${action}`)).toEqual([
    "shop-db-1 keep",
    "shop-db-2 remove",
    "shop-web-1 recreate",
    "shop-web-3 start",
    "shop-web-2 create",
    "shop-cache-1 orphan",
  ]);
});

test("what is made anew tells which fields differ, and leaves out what the image says", () => {
  const web = upPlan(facts).find(({ container }) => container === "shop-web-1");
  expect(web?.differences).toEqual([
    { field: "environment.LEVEL", from: "low", to: "high" },
    { field: "environment.OLD", from: "1", to: "" },
    { field: "ports", from: "8080:80/tcp", to: "8081:80/tcp" },
    { field: "restart", from: "no", to: "always" },
  ]);
});

test("an image that was pulled or built since is a reason, too", () => {
  const rows = upPlan({ ...facts, imageIds: new Map([["nginx:1", "sha256:two"]]) });
  expect(rows.find(({ container }) => container === "shop-db-1")).toMatchObject({
    action: "recreate",
    differences: [{ field: "image", from: "one", to: "two" }],
  });
});
