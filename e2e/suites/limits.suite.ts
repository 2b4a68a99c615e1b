import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ContainerStats } from "#api/stats.ts";
import type { Why } from "#api/why.ts";
import { EngineClient } from "#client/client.ts";
import { busybox, dockerArchive } from "../fixtures/image.ts";
import { type StockDocker, stockDocker } from "../fixtures/docker.ts";

/** Files of one control group, by name. */
type Group = Readonly<Record<string, string>>;
const files = "memory.max memory.low memory.swap.max pids.max cpu.max cpu.weight cpuset.cpus cpuset.mems io.weight io.max".split(" ");
const dataDisk = "/dev/vdb";

/** docker/go-units BytesSize of less than a gibibyte: four figures, without zeroes at the end. */
const binary = (bytes: number): string => {
  const [value, unit] = bytes < 2 ** 20 ? [bytes / 2 ** 10, "KiB"] : [bytes / 2 ** 20, "MiB"];
  return `${Number(value.toPrecision(4))}${unit}`;
};

/** What only a kernel with all controllers and a disk of its own can show: the guest's. Wants busybox:latest. */
export function limitsSuite(name: string, engine: () => { readonly socket: string }): void {
  describe(name, () => {
    let docker: StockDocker;
    let client: EngineClient;
    let disk = "";

    const reading = (directory: string): string => files.map((file) => `echo "${file} $(cat ${directory}/${file} | sed 's/^default //')"`).join("; ");
    const parse = (text: string): Group => Object.fromEntries(text.split("\n").map((line) => [line.split(" ")[0] ?? "", line.slice(line.indexOf(" ") + 1)]));
    const inside = async (id: string): Promise<Group> => parse(await docker.ok("exec", id, "sh", "-c", reading("/sys/fs/cgroup")));
    /** As the machine around the container sees it. */
    const outside = async (id: string): Promise<Group> => {
      const pid = await docker.ok("inspect", "-f", "{{.State.Pid}}", id);
      return parse(await onMachine(`g=/sys/fs/cgroup$(cut -d: -f3 /proc/${pid}/cgroup); ${reading("$g")}`));
    };
    const onMachine = (script: string): Promise<string> =>
      docker.ok("run", "--rm", "--privileged", "--pid", "host", "--cgroupns", "host", "--network", "none", "busybox", "sh", "-c", script);

    beforeAll(async () => {
      docker = stockDocker(engine());
      await docker.with({ input: await dockerArchive([await busybox("busybox:latest")]) }, "load");
      client = new EngineClient({ kind: "socket", path: engine().socket });
      disk = await onMachine("cat /sys/block/vdb/dev");
      // By the API: several releases of the stock CLI leave the rates of devices out.
      const rate = (Rate: number): { Path: string; Rate: number }[] => [{ Path: dataDisk, Rate }];
      const HostConfig = {
        ...{ Memory: 64 * 2 ** 20, MemoryReservation: 32 * 2 ** 20, MemorySwap: 96 * 2 ** 20, PidsLimit: 30, NanoCpus: 5e8, CpuShares: 512 },
        ...{ CpusetCpus: "0", CpusetMems: "0", BlkioWeight: 300, BlkioDeviceReadBps: rate(2 ** 20), BlkioDeviceWriteBps: rate(2 ** 21) },
        ...{ BlkioDeviceReadIOps: rate(100), BlkioDeviceWriteIOps: rate(200) },
      };
      await client.json("POST", "/containers/create", { query: { name: "limited" }, json: { Image: "busybox", Cmd: ["sleep", "100000"], HostConfig } });
      await client.call("POST", "/containers/limited/start");
    });
    afterAll(async () => {
      await docker("rm", "-f", "limited", "hungry", "forker");
    });

    test("every limit is in the file the kernel reads, seen from inside and outside", async () => {
      const wanted: Group = {
        ...{ "memory.max": String(64 * 2 ** 20), "memory.low": String(32 * 2 ** 20), "memory.swap.max": String(32 * 2 ** 20), "pids.max": "30" },
        ...{ "cpu.max": "50000 100000", "cpu.weight": "59", "cpuset.cpus": "0", "cpuset.mems": "0" },
        // Docker's 10 to 1000 on the kernel's scale of 1 to 10000.
        "io.weight": String(1 + Math.floor(((300 - 10) * 9_999) / 990)),
        "io.max": `${disk} rbps=1048576 wbps=2097152 riops=100 wiops=200`,
      };
      expect(await inside("limited")).toEqual(wanted);
      expect(await outside("limited")).toEqual(wanted);
    });

    test("what is executed in a container shares its place in the queue of the OOM killer", async () => {
      const score = "cat /proc/self/oom_score_adj";
      expect(await docker.ok("run", "--rm", "--oom-score-adj", "300", "busybox", "sh", "-c", score)).toBe("300");
      // crun leaves it to the engine, which comes right after the start.
      expect(await docker.ok("exec", "limited", "sh", "-c", `until [ $(${score}) = 0 ]; do sleep 0.1; done; ${score}`)).toBe("0");
    });

    test("docker update reaches a running container", async () => {
      const memory = ["-m", "48m", "--memory-swap", "80m", "--memory-reservation", "16m"];
      await docker.ok(
        "update",
        ...memory,
        "--cpus",
        "1",
        "--cpu-shares",
        "256",
        "--pids-limit",
        "20",
        "--cpuset-cpus",
        "1",
        "--blkio-weight",
        "200",
        "limited",
      );
      expect(await outside("limited")).toMatchObject({
        ...{ "memory.max": String(48 * 2 ** 20), "memory.low": String(16 * 2 ** 20), "memory.swap.max": String(32 * 2 ** 20), "pids.max": "20" },
        ...{ "cpu.max": "100000 100000", "cpu.weight": "35", "cpuset.cpus": "1", "io.weight": String(1 + Math.floor(((200 - 10) * 9_999) / 990)) },
      });
    });

    test("a paused container's statistics are its control group's numbers, and the CLI's are made of them", async () => {
      await docker.ok("exec", "limited", "sh", "-c", "dd if=/dev/zero of=/file bs=64k count=16 conv=fsync 2> /dev/null; cat /file > /dev/null");
      await docker.ok("pause", "limited");
      const stats = await client.json<ContainerStats>("GET", "/containers/limited/stats", { query: { stream: false, "one-shot": true } });
      const pid = await docker.ok("inspect", "-f", "{{.State.Pid}}", "limited");
      const group = `g=/sys/fs/cgroup$(cut -d: -f3 /proc/${pid}/cgroup)`;
      const numbers = await onMachine(
        `${group}; cat $g/memory.current $g/pids.current; sed -n 's/^inactive_file //p' $g/memory.stat; sed -n 's/^usage_usec //p' $g/cpu.stat; sed -n 's/^${disk} .*wbytes=\\([0-9]*\\).*/\\1/p' $g/io.stat`,
      );
      const [memory, pids, inactive, cpuMicros, written] = numbers.split("\n").map(Number);
      expect(stats.memory_stats).toMatchObject({ usage: memory, limit: 48 * 2 ** 20, stats: { inactive_file: inactive } });
      expect(stats.pids_stats).toEqual({ current: pids, limit: 20 });
      expect(stats.cpu_stats.cpu_usage.total_usage).toBe((cpuMicros ?? 0) * 1_000);
      const writes = stats.blkio_stats.io_service_bytes_recursive?.filter(
        ({ op, major, minor }) => op.toLowerCase() === "write" && `${major}:${minor}` === disk,
      );
      expect(writes?.map(({ value }) => value)).toEqual([written]);
      expect(written).toBeGreaterThanOrEqual(2 ** 20);
      const shown = await docker.ok("stats", "--no-stream", "--format", "{{.MemUsage}} {{.PIDs}} {{.CPUPerc}}", "limited");
      expect(shown).toBe(`${binary((memory ?? 0) - (inactive ?? 0))} / 48MiB ${pids} 0.00%`);
      await docker.ok("unpause", "limited");
    });

    test("memory past the limit ends the container: 137, OOMKilled, and an event", async () => {
      const since = await onMachine("date +%s");
      expect((await docker("run", "--name", "hungry", "-m", "16m", "busybox", "tail", "/dev/zero")).code).toBe(137);
      expect(await docker.ok("inspect", "-f", "{{.State.ExitCode}} {{.State.OOMKilled}}", "hungry")).toBe("137 true");
      const { Explanation } = await client.json<Why>("GET", "/slipway/containers/hungry/why");
      expect(Explanation).toMatchObject({ Rule: "oom-limit", Evidence: ["peak 16 MiB, limit 16 MiB", expect.any(String)] });
      // By the machine's own clock, which may be a moment ahead of this one's.
      const until = String(Number(await onMachine("date +%s")) + 1);
      const events = await docker.ok("events", "--since", since, "--until", until, "--filter", "container=hungry", "--format", "{{.Action}}");
      expect(events.split("\n").slice(-2)).toEqual(["oom", "die"]);
    });

    test("more processes than allowed cannot be made", async () => {
      const forks = await docker("run", "--name", "forker", "--pids-limit", "8", "busybox", "sh", "-c", "for i in $(seq 20); do sleep 60 & done");
      expect(forks.stderr).toContain("Resource temporarily unavailable");
      expect(forks.code).not.toBe(0);
    });

    test("--storage-opt size is a project quota of the disk: one byte too many has no room", async () => {
      const script =
        "dd if=/dev/zero of=/fits bs=1M count=6 2> /dev/null && echo fits; dd if=/dev/zero of=/more bs=1M count=4 2>&1 | grep -o 'No space left.*'; df -m / | tail -n 1 | awk '{print $2}'";
      expect(await docker.ok("run", "--rm", "--storage-opt", "size=8m", "busybox", "sh", "-c", `${script}; mv /fits /moved && rm /moved && echo moved`)).toBe(
        "fits\nNo space left on device\n8\nmoved",
      );
    });

    test("a volume's size is a project quota of the disk, and its snapshot does not count", async () => {
      await docker.ok("volume", "create", "-o", "size=8m", "small");
      const fill =
        "dd if=/dev/zero of=/data/fits bs=1M count=6 2> /dev/null && echo fits; dd if=/dev/zero of=/data/more bs=1M count=4 2>&1 | grep -o 'No space left.*'";
      expect(await docker.ok("run", "--rm", "-v", "small:/data", "busybox", "sh", "-c", `${fill}; rm /data/more`)).toBe("fits\nNo space left on device");
      await client.json("POST", "/slipway/volumes/small/snapshots", { json: { Name: "before" } });
      await client.json("POST", "/slipway/volumes/small/fork", { json: { Name: "copy" } });
      expect(await docker.ok("run", "--rm", "-v", "copy:/data", "busybox", "stat", "-c", "%s", "/data/fits")).toBe(String(6 * 2 ** 20));
      await docker.ok("volume", "rm", "small", "copy");
    });
  });
}
