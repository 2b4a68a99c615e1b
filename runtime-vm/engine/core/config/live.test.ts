import { expect, test } from "vitest";
import { LiveConfig } from "./live.ts";

test("a reload changes what is in the file, resets what dockerd resets, and says what must wait", () => {
  const live = new LiveConfig({}, '{"labels":["a=1"],"max-concurrent-downloads":9,"features":{"x":true},"live-restore":false}');
  const { view } = live;
  expect(view).toMatchObject({ labels: ["a=1"], maxConcurrentDownloads: 9, liveRestore: false });
  const { attributes, waiting } = live.reload('{"debug":true,"labels":["b=2"],"mtu":1400,"registry-mirrors":["https://m"]}');
  expect(view).toMatchObject({ debug: true, labels: ["b=2"], maxConcurrentDownloads: 3, features: {}, liveRestore: false, mtu: 1500 });
  expect(waiting).toEqual(["mtu"]);
  expect(attributes).toEqual({
    debug: "true",
    "default-cgroupns-mode": "private",
    "default-ipc-mode": "private",
    "default-runtime": "crun",
    "default-shm-size": "67108864",
    features: "map[]",
    "insecure-registries": "[]",
    labels: '["b=2"]',
    "live-restore": "false",
    "max-concurrent-downloads": "3",
    "max-concurrent-uploads": "5",
    "max-download-attempts": "5",
    "registry-mirrors": '["https://m/"]',
    runtimes: "",
    "shutdown-timeout": "15",
  });
});

test("a file that cannot be read changes nothing", () => {
  const live = new LiveConfig({}, '{"labels":["a=1"]}');
  for (const file of ["{", '{"labels":["b=1"],"debug":"yes"}', '{"labels":["b=1"],"default-runtime":"nobody"}']) expect(() => live.reload(file)).toThrow();
  expect(live.view.labels).toEqual(["a=1"]);
});
