import { createContext, useContext } from "react";
import type { App } from "#renderer/core/app.ts";

export const AppContext = createContext<App | undefined>(undefined);

export function useApp(): App {
  const app = useContext(AppContext);
  if (app === undefined) throw new Error("useApp is used outside AppContext");
  return app;
}
