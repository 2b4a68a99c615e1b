import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { EventMessage } from "#api/events.ts";
import type { Pressure } from "#api/pressure.ts";
import type { Journal } from "../journal/journal.ts";
import type { Reading } from "./pressure.ts";
import { PressureRecorder, type Subject } from "./recorder.ts";

const start = Date.UTC(2026, 0, 1);
beforeEach(() => {
  vi.useFakeTimers({ now: start, toFake: ["Date", "setInterval", "clearInterval"] });
});
afterEach(() => {
  vi.useRealTimers();
});

const quiet = new Proxy({}, { get: () => () => undefined }) as Journal;

/** A machine whose counters are set by hand. */
class World {
  readonly subjects: Subject[] = [{ id: "c1", name: "web", cgroup: "/c1", cpus: 0.5 }];
  readonly happened: EventMessage[] = [];
  cpu = 0;
  stalled = 0;
  memory = 100;
  readonly recorder = new PressureRecorder({
    reader: { container: () => this.#reading(), machine: () => this.#reading() },
    events: { follow: () => this.#take() },
    journal: quiet,
    subjects: () => this.subjects,
  });

  /** Lets so many samples be taken, each 5 s after the one before. */
  async samples(count: number, before: () => void = () => undefined): Promise<void> {
    for (let sample = 0; sample < count; sample++) {
      before();
      await vi.advanceTimersByTimeAsync(5_000);
    }
  }

  async *#take(): AsyncGenerator<EventMessage> {
    await Promise.resolve();
    yield* this.happened.splice(0);
  }

  #reading(): Reading {
    return { counters: { cpu: this.cpu, "stall.io.some": this.stalled }, gauges: { "memory.used": this.memory, "memory.limit": 200 } };
  }
}

const points = ({ Series }: Pressure, stepSeconds: number): readonly (readonly (number | null)[])[] =>
  Series.find((one) => one.StepSeconds === stepSeconds)?.Points ?? [];

test("counters become parts of the time between samples, gauges stay what they are", async () => {
  const world = new World();
  using recorder = world.recorder;
  await world.samples(3, () => {
    world.cpu += 2.5;
    world.stalled += 1;
  });
  const pressure = await recorder.container("c1");
  expect(pressure).toMatchObject({
    Id: "c1",
    Name: "web",
    Fields: ["cpu", "stall.io.some", "memory.used", "memory.limit"],
    Limits: { MemoryBytes: 200, Cpus: 0.5 },
  });
  expect(points(pressure, 5)).toEqual([
    [start / 1_000 + 5, null, null, 100, 200],
    [start / 1_000 + 10, 0.5, 0.2, 100, 200],
    [start / 1_000 + 15, 0.5, 0.2, 100, 200],
  ]);
});

test("a day is kept at falling resolution, and no more than that", async () => {
  const world = new World();
  using recorder = world.recorder;
  await world.samples(2 * 24 * 720, () => (world.cpu += 5));
  const pressure = await recorder.machine();
  expect(pressure.Series.map(({ StepSeconds, Points }) => [StepSeconds, Points.length])).toEqual([
    [5, 180],
    [60, 180],
    [600, 144],
  ]);
  expect(points(pressure, 600).every(([, cpu]) => cpu === 1)).toBe(true);
});

test("a coarse step is the mean of what it holds", async () => {
  const world = new World();
  using recorder = world.recorder;
  await world.samples(11, () => (world.memory = world.memory === 100 ? 300 : 100));
  expect(points(await recorder.machine(), 60)[0]?.[3]).toBeCloseTo((6 * 300 + 5 * 100) / 11, 3);
});

test("a counter that begins anew with another run is no negative time", async () => {
  const world = new World();
  using recorder = world.recorder;
  await world.samples(2, () => (world.cpu += 5));
  world.subjects[0] = { id: "c1", name: "web", cgroup: "/c1-again" };
  world.cpu = 0;
  await world.samples(2, () => (world.cpu += 5));
  expect(points(await recorder.container("c1"), 5).map(([, cpu]) => cpu)).toEqual([null, 1, null, 1]);
});

test("what happened stands on the same axis, for the container and for the machine", async () => {
  const world = new World();
  using recorder = world.recorder;
  const event = (Action: string, attributes: Record<string, string>): EventMessage => ({
    Type: "container",
    Action,
    Actor: { ID: "c1", Attributes: { name: "web", ...attributes } },
    scope: "local",
    time: start / 1_000,
    timeNano: start * 1e6,
  });
  world.happened.push(event("oom", {}), event("die", { exitCode: "137" }));
  const told = [
    { Time: start / 1_000, Action: "oom", Id: "c1", Name: "web" },
    { Time: start / 1_000, Action: "die", Id: "c1", Name: "web", ExitCode: 137 },
  ];
  expect((await recorder.machine()).Events).toEqual(told);
  expect((await recorder.container("c1")).Events).toEqual(told);
});

test("of a container that was removed nothing is kept", async () => {
  const world = new World();
  using recorder = world.recorder;
  await world.samples(2);
  world.subjects.length = 0;
  await world.samples(1);
  await expect(recorder.container("c1")).rejects.toMatchObject({ class: "notFound" });
  world.subjects.push({ id: "c1", name: "web", cgroup: "/c1" });
  expect(points(await recorder.container("c1"), 5)).toEqual([]);
});
