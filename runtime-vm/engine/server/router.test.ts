import { expect, test } from "vitest";
import { type RequestContext, Router, route, splitVersion } from "./router.ts";
import { afterwards } from "./routes.ts";

const answer = () => ({ status: 200 });
const router = new Router([
  route("GET", "/containers/json", answer),
  route("GET", "/containers/{id}/json", answer),
  route("GET", "/images/{name...}/json", answer),
  route("DELETE", "/images/{name...}", answer),
  route("POST", "/build.kit/{id}", answer),
]);
const found = (method: string, path: string) => {
  const match = router.match(method, path);
  return match === undefined ? undefined : [match.route.pattern, match.params];
};

test("fixed paths go before patterns", () => {
  expect(found("GET", "/containers/json")).toEqual(["/containers/json", {}]);
  expect(found("GET", "/containers/abc/json")).toEqual(["/containers/{id}/json", { id: "abc" }]);
});

test("a spanning parameter takes slashes, a plain one does not", () => {
  expect(found("GET", "/images/reg:5000/team/app/json")).toEqual(["/images/{name...}/json", { name: "reg:5000/team/app" }]);
  expect(found("DELETE", "/images/team/app@sha256:ab")).toEqual(["/images/{name...}", { name: "team/app@sha256:ab" }]);
  expect(found("GET", "/containers/a/b/json")).toBeUndefined();
});

test("parameters are percent-decoded, and unsound encoding is an error", () => {
  expect(found("GET", "/containers/a%2Fb/json")).toEqual(["/containers/{id}/json", { id: "a/b" }]);
  expect(() => router.match("GET", "/containers/%zz/json")).toThrow(URIError);
});

test("another method, a longer path and a dot that is no dot do not match", () => {
  expect(found("POST", "/containers/json")).toBeUndefined();
  expect(found("GET", "/containers/json/")).toBeUndefined();
  expect(found("POST", "/buildxkit/1")).toBeUndefined();
});

test("a version is split off the path when there is one", () => {
  expect(splitVersion("/v1.44/containers/json")).toEqual({ version: "1.44", path: "/containers/json" });
  expect(splitVersion("/containers/json")).toEqual({ version: undefined, path: "/containers/json" });
  expect(splitVersion("/vx.y/containers/json")).toEqual({ version: undefined, path: "/vx.y/containers/json" });
});

test("until it is opened a server tells only that it is there", async () => {
  const opened = Promise.withResolvers<void>();
  const [ping, list] = afterwards(opened.promise, [route("GET", "/_ping", answer), route("GET", "/images/json", answer)]);
  const context = {} as RequestContext;
  expect(ping?.handler(context)).toEqual({ status: 200 });
  const listed = list?.handler(context);
  expect(await Promise.race([listed, Promise.resolve("waits")])).toBe("waits");
  opened.resolve();
  expect(await listed).toEqual({ status: 200 });
});
