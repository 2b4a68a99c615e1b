// @vitest-environment node
import { expect, test } from "vitest";
import { containerMatches, healthOf, matches, portLinks, sinceOf, statusWord } from "./containers.ts";

const tcp = (PrivatePort: number, PublicPort?: number, IP?: string) => ({
  PrivatePort,
  Type: "tcp",
  ...(PublicPort !== undefined && { PublicPort }),
  ...(IP !== undefined && { IP }),
});

test("a state is Docker's own word, an exit with its code", () => {
  expect(statusWord("running", "Up 3 minutes")).toBe("running");
  expect(statusWord("exited", "Exited (137) 2 days ago")).toBe("exited (137)");
  expect(statusWord("exited")).toBe("exited");
});

test("health is told apart from the state, and leaves the time alone", () => {
  expect(healthOf("Up 3 minutes (healthy)")).toBe("healthy");
  expect(healthOf("Up 3 minutes (unhealthy)")).toBe("unhealthy");
  expect(healthOf("Up 1 second (health: starting)")).toBe("starting");
  expect(healthOf("Up 3 minutes")).toBeUndefined();
});

test.each([
  ["Up Less than a second (health: starting)", { up: true, seconds: 0 }],
  ["Up About a minute", { up: true, seconds: 60 }],
  ["Up About an hour (Paused)", { up: true, seconds: 3_600 }],
  ["Up 3 minutes (unhealthy)", { up: true, seconds: 180 }],
  ["Exited (137) 2 days ago", { up: false, seconds: 172_800 }],
  ["Restarting (1) 5 seconds ago", { up: false, seconds: 5 }],
  ["Created", undefined],
  ["Dead", undefined],
])("the time in the status %j is read, so that it can go on without asking again", (status, since) => expect(sinceOf(status)).toEqual(since));

test("IPv4 and IPv6 bindings of one port are one link; published ports come first", () => {
  expect(portLinks([tcp(9000), tcp(80, 8080, "0.0.0.0"), tcp(80, 8080, "::"), tcp(443, 8443)], "localhost")).toEqual([
    { text: "8080:80", url: "http://localhost:8080", published: true },
    { text: "8443:443", url: "https://localhost:8443", published: true },
    { text: "9000/tcp", published: false },
  ]);
});

test("a UDP port is shown but no browser can open it", () => {
  expect(portLinks([{ PrivatePort: 53, PublicPort: 53, Type: "udp" }], "localhost")).toEqual([{ text: "53:53/udp", published: true }]);
});

test("the search wants every word, in any field", () => {
  expect(matches("web run", "shop-web", "running")).toBe(true);
  expect(matches("web stopped", "shop-web", "running")).toBe(false);
  expect(matches("", "anything")).toBe(true);
  const container = { Id: "abc", Names: ["/api"], Image: "img", State: "running", Ports: [tcp(80, 8080)] } as unknown as Parameters<typeof containerMatches>[1];
  expect(containerMatches("8080", container)).toBe(true);
});
