import { expect, test } from "vitest";
import type { ContainerConfig, HostConfig } from "#api/containers.ts";
import { parseMounts } from "./mount-specs.ts";

const parse = (hostConfig: HostConfig, config: Partial<ContainerConfig> = {}) => parseMounts({ Image: "x", ...config }, hostConfig, []);

test("an absolute source is a path, any other a volume, none an anonymous volume", () => {
  expect(parse({ Binds: ["/src/:/a/:ro", "vol:/b", "/c"] })).toMatchObject([
    { type: "bind", source: "/src", destination: "/a", readOnly: true, mode: "ro", propagation: "rprivate", createSource: true },
    { type: "volume", source: "vol", destination: "/b", readOnly: false, mode: "z", copyUp: true },
    { type: "volume", source: "", destination: "/c" },
  ]);
});

test("modes combine", () => {
  expect(parse({ Binds: ["/s:/a:ro,rshared,z", "v:/b:nocopy"] })).toMatchObject([
    { readOnly: true, propagation: "rshared", mode: "ro,rshared,z" },
    { copyUp: false, mode: "nocopy" },
  ]);
});

test("an image's volume gives way to whatever is mounted there", () => {
  const mounts = parse({ Binds: ["/s:/data"], Tmpfs: { "/run": "" } }, { Volumes: { "/data": {}, "/run/": {}, "/other": {} } });
  expect(mounts.map(({ type, destination }) => `${type} ${destination}`)).toEqual(["bind /data", "volume /other"]);
  expect(parseMounts({ Image: "x", Volumes: { "/d": {} } }, {}, [{ destination: "/d" }])).toEqual([]);
});

test("a tmpfs carries its options", () => {
  expect(parse({ Mounts: [{ Type: "tmpfs", Target: "/t", TmpfsOptions: { SizeBytes: 10, Mode: 0o1770, Options: [["exec"]] } }] })).toMatchObject([
    { type: "tmpfs", options: ["size=10", "mode=1770", "exec"] },
  ]);
});

test.each<[HostConfig, string]>([
  [{ Binds: ["x"] }, `invalid volume specification: 'x': invalid mount config for type "volume": invalid mount path: 'x' mount path must be absolute`],
  [{ Binds: ["/x:/"] }, `invalid volume specification: '/x:/': invalid mount config for type "bind": invalid specification: destination can't be '/'`],
  [{ Binds: ["/x:/y:foo"] }, "invalid mode: foo"],
  [{ Binds: ["/x:/y:ro,rw"] }, "invalid mode: ro,rw"],
  [{ Binds: ["/x:/y:ro:rw"] }, "invalid volume specification: '/x:/y:ro:rw'"],
  [{ Binds: ["/x:ro"] }, "invalid volume specification: '/x:ro'"],
  [{ Binds: ["/x:/y", "/z:/y"] }, "Duplicate mount point: /y"],
  [{ Binds: ["/x:/y"], Tmpfs: { "/y": "" } }, "Duplicate mount point: /y"],
  [{ Mounts: [{ Type: "bind", Source: "", Target: "/x" }] }, `invalid mount config for type "bind": field Source must not be empty`],
  [{ Mounts: [{ Type: "bind", Source: "a", Target: "/x" }] }, `invalid mount config for type "bind": invalid mount path: 'a' mount path must be absolute`],
  [{ Mounts: [{ Type: "tmpfs", Source: "a", Target: "/x" }] }, `invalid mount config for type "tmpfs": field Source must not be specified`],
  [{ Mounts: [{ Type: "volume", Target: "" }] }, `invalid mount config for type "volume": field Target must not be empty`],
  [{ Mounts: [{ Type: "volume", Target: "x" }] }, `invalid mount config for type "volume": invalid mount path: 'x' mount path must be absolute`],
  [{ Mounts: [{ Type: "foo" as "bind", Target: "/x" }] }, `invalid mount config for type "foo": mount type unknown`],
  [{ Mounts: [{ Type: "volume", Target: "/x", TmpfsOptions: {} }] }, `TmpfsOptions must not be specified on mount type "volume"`],
])("%j is refused in dockerd's words", (hostConfig, message) => {
  expect(() => parse(hostConfig)).toThrow(message);
});
