import "./styles/main.css";
import { createRoot } from "react-dom/client";
import { connectBridge } from "#bridge/connect.ts";
import { createApp, startApp } from "#renderer/core/app.ts";
import { startLanguage } from "#renderer/core/language.ts";
import { shownEngine } from "#renderer/core/shownengine.ts";
import { startTheme } from "#renderer/core/theme.ts";
import { startVisibility } from "#renderer/core/visibility.ts";
import { Window } from "./app.tsx";
import { NoBridge } from "./views/boot/nobridge.tsx";

startLanguage();
startTheme();
startVisibility(document);
const container = document.getElementById("root");
if (container !== null) {
  const root = createRoot(container);
  try {
    const app = createApp(await connectBridge(window), { shown: shownEngine(sessionStorage) });
    startApp(app, new AbortController().signal);
    root.render(<Window app={app} />);
  } catch (error) {
    root.render(<NoBridge error={error} />);
  }
}
