import { expect, test } from "vitest";
import { parseChallenges } from "./challenge.ts";
import { endpointsOf, isInsecure } from "./endpoints.ts";

test.each([
  [
    'Bearer realm="https://auth.docker.io/token",service="registry.docker.io"',
    [{ scheme: "bearer", parameters: { realm: "https://auth.docker.io/token", service: "registry.docker.io" } }],
  ],
  ['Basic realm="a \\"quoted\\" realm"', [{ scheme: "basic", parameters: { realm: 'a "quoted" realm' } }]],
  [
    'Basic realm=plain, Bearer realm=x,scope="repository:a/b:pull,push"',
    [
      { scheme: "basic", parameters: { realm: "plain" } },
      { scheme: "bearer", parameters: { realm: "x", scope: "repository:a/b:pull,push" } },
    ],
  ],
  ["Negotiate", [{ scheme: "negotiate", parameters: {} }]],
  ["", []],
])("the challenge %s is read", (header, challenges) => {
  expect(parseChallenges(header)).toEqual(challenges);
});

test.each([
  ["127.0.0.1:5000", true],
  ["127.1.2.3", true],
  ["localhost:5000", true],
  ["[::1]:5000", true],
  ["registry.example:5000", true],
  ["registry.example:5001", false],
  ["named.example:1", true],
  ["10.1.2.3:80", true],
  ["11.1.2.3:80", false],
  ["docker.io", false],
])("%s is insecure: %s", (domain, insecure) => {
  expect(isInsecure(domain, ["registry.example:5000", "named.example", "10.0.0.0/8"])).toBe(insecure);
});

test("docker.io is asked at its mirrors first, other registries at themselves", () => {
  const options = { insecureRegistries: [], mirrors: ["https://mirror.example", "http://127.0.0.1:5000/prefix/"] };
  expect(endpointsOf("docker.io", options).map(({ base }) => base.href)).toEqual([
    "https://mirror.example/",
    "http://127.0.0.1:5000/prefix/",
    "https://registry-1.docker.io/",
  ]);
  expect(endpointsOf("quay.io", options).map(({ base }) => base.href)).toEqual(["https://quay.io/"]);
  expect(endpointsOf("localhost:5000", options)).toMatchObject([{ insecure: true, otherScheme: true }]);
});
