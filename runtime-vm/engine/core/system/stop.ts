export interface HowToStop {
  readonly stopContainers: boolean;
  /** The host wants the whole guest off. */
  readonly powerOff?: boolean;
}

/** One wish to stop, whoever has it first, and its end. */
export interface StopRequest {
  readonly asked: Promise<HowToStop>;
  /** Resolves when the engine has stopped. */
  ask(how: HowToStop): Promise<void>;
  done(): void;
  readonly switchedOff: PromiseWithResolvers<void>;
}

/** SIGTERM and SIGINT ask, and `ask`. `leaveContainers` is what the signals mean at the moment they come. */
export function stopRequest(leaveContainers: () => boolean): StopRequest {
  const asked = Promise.withResolvers<HowToStop>();
  const stopped = Promise.withResolvers<void>();
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => asked.resolve({ stopContainers: !leaveContainers() }));
  return {
    asked: asked.promise,
    ask: async (how) => {
      asked.resolve(how);
      await stopped.promise;
    },
    done: stopped.resolve,
    switchedOff: Promise.withResolvers<void>(),
  };
}
