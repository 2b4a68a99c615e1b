// @vitest-environment node
import { expect, test } from "vitest";
import { createRequest, emptyRunForm, type RunForm, validate } from "./runform.ts";
import { splitCommand } from "./shellwords.ts";

const form = (part: Partial<RunForm>): RunForm => ({ ...emptyRunForm, image: "slipway/welcome", ...part });

test("the empty form misses an image, and nothing else", () => {
  expect(validate(emptyRunForm)).toEqual({ image: "imageMissing" });
  expect(validate(form({}))).toEqual({});
});

test("a full form becomes what docker run would send", () => {
  const request = createRequest(
    form({
      image: " slipway/welcome:1 ",
      command: `sh -c "echo 'a b'"`,
      ports: [
        { host: "8080", container: "80", protocol: "tcp" },
        { host: "", container: "80", protocol: "tcp" },
        { host: "53", container: "5353", protocol: "udp" },
        { host: "", container: "", protocol: "tcp" },
      ],
      env: [
        { name: "A", value: "1=2" },
        { name: "", value: "" },
      ],
      volumes: [
        { source: "data", target: "/data", readOnly: false },
        { source: "/srv/www", target: "/www", readOnly: true },
      ],
      memory: "256",
      cpus: "1.5",
      restart: "unless-stopped",
    }),
  );
  expect(request).toEqual({
    Image: "slipway/welcome:1",
    Cmd: ["sh", "-c", "echo 'a b'"],
    Env: ["A=1=2"],
    ExposedPorts: { "80/tcp": {}, "5353/udp": {} },
    HostConfig: {
      PortBindings: {
        "80/tcp": [
          { HostIp: "", HostPort: "8080" },
          { HostIp: "", HostPort: "" },
        ],
        "5353/udp": [{ HostIp: "", HostPort: "53" }],
      },
      Binds: ["data:/data", "/srv/www:/www:ro"],
      Memory: 268_435_456,
      NanoCpus: 1_500_000_000,
      RestartPolicy: { Name: "unless-stopped" },
    },
  });
});

test("what is left empty is left to the image: no Cmd, no Env, no ports", () => {
  expect(createRequest(form({}))).toEqual({ Image: "slipway/welcome", HostConfig: { RestartPolicy: { Name: "no" } } });
});

test("mistakes are named at their field and row", () => {
  expect(
    validate(
      form({
        name: "-x",
        command: "echo 'open",
        ports: [
          { host: "70000", container: "80", protocol: "tcp" },
          { host: "8080", container: "http", protocol: "tcp" },
          { host: "8080", container: "81", protocol: "tcp" },
          { host: "8080", container: "81", protocol: "udp" },
        ],
        env: [
          { name: "", value: "x" },
          { name: "A=B", value: "" },
        ],
        volumes: [
          { source: "", target: "/a", readOnly: false },
          { source: "v", target: "a", readOnly: false },
          { source: "v", target: "/a", readOnly: false },
        ],
        memory: "4",
        cpus: "0",
      }),
    ),
  ).toEqual({
    name: "nameInvalid",
    command: "commandQuote",
    "ports.0.host": "portInvalid",
    "ports.1.container": "portInvalid",
    "ports.2.host": "portTwice",
    "env.0.name": "envName",
    "env.1.name": "envName",
    "volumes.0.source": "sourceMissing",
    "volumes.1.target": "targetAbsolute",
    "volumes.2.target": "targetTwice",
    memory: "memoryMinimum",
    cpus: "cpusInvalid",
  });
});

test.each(["UPPER/name", "a b", "-x", "a&b"])("the image name %j is refused before the engine sees it", (image) => {
  expect(validate(form({ image }))).toEqual({ image: "imageInvalid" });
});

test.each(["busybox", "localhost:5000/a/b:1.2", "x@sha256:0123", "registry.example/Team"])("the image name %j is left to the engine", (image) => {
  expect(validate(form({ image }))).toEqual({});
});

test.each([
  ["", []],
  ["  a  b ", ["a", "b"]],
  [`'a b' "c \\"d\\"" e\\ f`, ["a b", `c "d"`, "e f"]],
  [`a''b ""`, ["ab", ""]],
  [`'$HOME' "\\n"`, ["$HOME", "\\n"]],
])("the command %j splits as a shell would", (line, words) => expect(splitCommand(line)).toEqual(words));
