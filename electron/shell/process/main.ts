import type { MessagePortMain } from "electron";
import { messageOf } from "#base/errors.ts";
import type { Settings } from "#bridge/bridge.ts";
import { type FramePort, portTransport } from "#bridge/messageport.ts";
import { serveBridge } from "#bridge/serve.ts";
import { openDesktop } from "#host/main.ts";
import type { FromHost, HostArguments, ToHost } from "./messages.ts";

// The host core in a process of its own: bytes of logs and terminals go from here to the page and never through the
// shell, which stays free to draw menus and windows.
const { parentPort } = process;
const say = (message: FromHost): void => parentPort.postMessage(message);

async function main(): Promise<void> {
  const given = JSON.parse(process.argv.at(-1) ?? "{}") as HostArguments;
  await using host = await openDesktop({ ...given, mode: "electron", log: (line) => console.log(line) });
  using _status = host.onStatus(({ phase, error }) => say({ kind: "machine", phase, ...(error === undefined ? {} : { problem: error.message }) }));
  const saySettings = ({ theme, language, tray, onClose, notify }: Settings): void =>
    say({ kind: "settings", settings: { theme, language, tray, onClose, notify } });
  using _settings = host.settings.onChange(saySettings);
  saySettings(host.settings.current);
  using happenings = host.happenings();
  using _running = happenings.onRunning((running) => say({ kind: "containers", running }));
  using _happened = happenings.onHappening((happening) => say({ kind: "happened", happening }));
  const ignore = (): void => undefined; // what fails shows in the status
  await new Promise<void>((quit) => {
    parentPort.on("message", ({ data, ports }) => {
      const message = data as ToHost;
      switch (message.kind) {
        case "port":
          for (const port of ports) serveBridge(portTransport(mainPort(port)), host.bridge);
          break;
        case "start":
          host.start().catch(ignore);
          break;
        case "stop":
          host.stop().catch(ignore);
          break;
        case "stopContainer":
          happenings.stop(message.id).catch((error: unknown) => console.log(messageOf(error)));
          break;
        case "quit":
          quit();
      }
    });
    host.start().catch(ignore);
  });
}

function mainPort(port: MessagePortMain): FramePort {
  return {
    postMessage: (message) => port.postMessage(message),
    close: () => port.close(),
    onMessage(listener) {
      port.on("message", ({ data }) => listener(data));
      port.start();
    },
    onClose: (listener) => void port.on("close", listener),
  };
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    say({ kind: "failed", message: messageOf(error) });
    process.exit(1);
  },
);
