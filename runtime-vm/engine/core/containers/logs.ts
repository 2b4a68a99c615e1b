import { EngineError, messageOf } from "#base/errors.ts";
import type { ContainerLog, LogDriver } from "../logs/logs.ts";
import type { LogSubject } from "../logs/subject.ts";
import type { ContainerBackends } from "./backends.ts";
import type { Container } from "./container.ts";

export function logDriverOf(backends: Pick<ContainerBackends, "logs">, container: Pick<Container, "spec">): LogDriver {
  const type = container.spec.hostConfig.LogConfig?.Type ?? "";
  const driver = backends.logs.get(type);
  if (driver === undefined) throw new EngineError("invalidArgument", `error looking up logging plugin ${type}: plugin ${JSON.stringify(type)} not found`);
  return driver;
}

/** The container's log, opened once and kept until the container is removed or the engine stops. */
export function openLog(backends: Pick<ContainerBackends, "logs">, container: Container): Promise<ContainerLog> {
  container.log ??= logDriverOf(backends, container).open(subjectOf(container), container.spec.hostConfig.LogConfig?.Config ?? {});
  // A log that could not be opened is tried again by the next who asks.
  container.log.catch(() => (container.log = undefined));
  return container.log;
}

/** Opens the log for a task to come; the driver has what it needs to take its output. */
export async function connectLog(backends: Pick<ContainerBackends, "logs">, container: Container): Promise<ContainerLog> {
  const log = await openLog(backends, container);
  try {
    await log.connect?.();
  } catch (error) {
    const failed = error instanceof EngineError ? error.class : "internal";
    throw new EngineError(failed, `failed to create task for container: failed to initialize logging driver: ${messageOf(error)}`, { cause: error });
  }
  return log;
}

function subjectOf({ id, name, spec }: Container): LogSubject {
  const { config, image, createdAt } = spec;
  const command = [...(config.Entrypoint ?? []), ...(config.Cmd ?? [])];
  return { id, name, imageId: image.id, imageName: config.Image ?? "", createdAt, command, env: config.Env ?? [], labels: config.Labels ?? {} };
}

/** Closes it if it is open; what is written stays. */
export async function closeLog(container: Container): Promise<void> {
  const log = await container.log?.catch(() => undefined);
  container.log = undefined;
  await log?.[Symbol.asyncDispose]();
}
