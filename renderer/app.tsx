import { QueryClientProvider } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { Router } from "wouter";
import { useHashLocation } from "wouter/use-hash-location";
import { useStore } from "zustand";
import type { App } from "#renderer/core/app.ts";
import { applyLanguage, language } from "#renderer/core/language.ts";
import { applyTheme } from "#renderer/core/theme.ts";
import { AppContext, useApp } from "./appcontext.ts";
import { useSettings } from "./queries.ts";
import { BootScreen } from "./views/boot/bootscreen.tsx";
import { Shell } from "./views/shell/shell.tsx";

export const Window = ({ app }: { readonly app: App }) => (
  <AppContext value={app}>
    <QueryClientProvider client={app.queries}>
      <Router hook={useHashLocation}>
        <BootOrShell />
      </Router>
    </QueryClientProvider>
  </AppContext>
);

/** The boot screen shows until the engine has answered once, or until it is put aside. */
function BootOrShell() {
  const everRunning = useStore(useApp().machine, (view) => view.everRunning);
  const [aside, setAside] = useState(false);
  const { theme: chosenTheme, language: chosenLanguage } = useSettings().data ?? {};
  useEffect(() => {
    if (chosenTheme !== undefined) applyTheme(chosenTheme);
  }, [chosenTheme]);
  useEffect(() => {
    if (chosenLanguage !== undefined) applyLanguage(chosenLanguage);
  }, [chosenLanguage]);
  // Another language draws everything anew; what the window holds outside of React (shells, transfers, lists) goes on.
  const shown = useStore(language, (state) => state.shown);
  return everRunning || aside ? <Shell key={shown} /> : <BootScreen key={shown} onContinue={() => setAside(true)} />;
}
