import { expect, test } from "vitest";
import type { ContainerInspect } from "#api/containers.ts";
import { composeService, dockerRunLine } from "./copyrun.ts";
import { parseRunLine } from "./dockerrun.ts";
import { createRequest, validate } from "./runform.ts";

test("a docker run line with every kind of writing fills the form", () => {
  const line = `$ docker run -itd --rm -p 8080:80 -p53:53/udp --name=web \\
    -e 'GREETING=hello world' -v data:/data:ro --mount type=bind,source=/src,target=/app,readonly -m 1.5g --cpus 0.5 \\
    --net front --network-alias www -w /app -u 1000 --cap-add NET_ADMIN --security-opt no-new-privileges nginx:1.27 sh -c "echo 'a b'"`;
  const pasted = parseRunLine(line);
  expect(pasted?.left).toEqual([]);
  expect(pasted?.form).toMatchObject({
    image: "nginx:1.27",
    name: "web",
    ports: [
      { host: "8080", container: "80", protocol: "tcp" },
      { host: "53", container: "53", protocol: "udp" },
    ],
    env: [{ name: "GREETING", value: "hello world" }],
    volumes: [
      { source: "data", target: "/data", readOnly: true },
      { source: "/src", target: "/app", readOnly: true },
    ],
    memory: "1536",
    cpus: "0.5",
    network: "front",
    aliases: "www",
    tty: true,
    autoRemove: true,
    noNewPrivileges: true,
  });
  expect(pasted && validate(pasted.form)).toEqual({});
  expect(pasted && createRequest(pasted.form)).toMatchObject({
    Cmd: ["sh", "-c", "echo 'a b'"],
    WorkingDir: "/app",
    User: "1000",
    HostConfig: { NetworkMode: "front", CapAdd: ["NET_ADMIN"], AutoRemove: true, Binds: ["data:/data:ro", "/src:/app:ro"] },
    NetworkingConfig: { EndpointsConfig: { front: { Aliases: ["www"] } } },
  });
});

test("what has no field is named, never dropped in silence", () => {
  const pasted = parseRunLine("sudo docker container run --gpus all -p 127.0.0.1:80:80 -e HOME --blkio-weight=300 -P --userns host -x img");
  expect(pasted?.form).toMatchObject({ image: "img", ports: [], env: [] });
  expect(pasted?.left).toEqual(["--gpus all", "--publish 127.0.0.1:80:80", "--env HOME", "--blkio-weight 300", "--publish-all", "--userns host", "-x"]);
});

test.each(["docker ps", "nginx", "docker run 'open", ""])("%j is no docker run line", (line) => expect(parseRunLine(line)).toBeUndefined());

test("a switch that is said to be false is not taken", () => {
  expect(parseRunLine("docker run --rm=false --init=true img")?.form).toMatchObject({ autoRemove: false, init: true });
});

const inspected = (config: object, host: object): Pick<ContainerInspect, "Name" | "Config" | "HostConfig"> => ({
  Name: "/web",
  Config: { Image: "nginx:1.27", Hostname: "0123456789ab", ...config },
  HostConfig: { NetworkMode: "bridge", ...host },
});

test("a container is copied as the line that makes it, without what its image says anyway", () => {
  const image = { Env: ["PATH=/bin", "A=1"], Cmd: ["nginx"], WorkingDir: "/srv", Labels: { maintainer: "x" } };
  const container = inspected(
    { Env: ["PATH=/bin", "A=1", "B=it's"], Cmd: ["nginx"], WorkingDir: "/srv", Labels: { maintainer: "x", own: "y" } },
    {
      Binds: ["data:/data"],
      PortBindings: { "80/tcp": [{ HostIp: "", HostPort: "8080" }], "53/udp": [{ HostIp: "::1", HostPort: "53" }] },
      RestartPolicy: { Name: "on-failure", MaximumRetryCount: 3 },
      NanoCpus: 5e8,
      Memory: 1024,
    },
  );
  expect(dockerRunLine(container, image)).toBe(
    "docker run -d --name web -e 'B=it'\\''s' -l own=y -p 8080:80 -p '[::1]:53:53/udp' -v data:/data --restart on-failure:3 --memory 1024 --cpus 0.5 nginx:1.27",
  );
});

test("a line that was copied and pasted makes the same container", () => {
  const pasted = parseRunLine("docker run -d --name web -e A=b --network front -v data:/data -p 8080:80 --restart always --cap-drop ALL img sh -c 'exit 1'");
  const request = pasted && createRequest(pasted.form);
  const copied = dockerRunLine(inspected({ Image: "img", Env: request?.Env, Cmd: request?.Cmd }, request?.HostConfig ?? {}), {});
  expect(parseRunLine(copied)?.form).toEqual(pasted?.form);
});

test("a container is copied as a Compose service, its named volumes with it", () => {
  const text = composeService(
    inspected({ Cmd: ["echo", "$HOME"] }, { Binds: ["data:/data", "/host:/x:ro"], PortBindings: { "80/tcp": [{ HostIp: "", HostPort: "8080" }] } }),
  );
  expect(text).toBe(`services:
  web:
    image: "nginx:1.27"
    container_name: "web"
    command:
      - "echo"
      - "$$HOME"
    ports:
      - "8080:80"
    volumes:
      - "data:/data"
      - "/host:/x:ro"
volumes:
  data: {}
`);
});
