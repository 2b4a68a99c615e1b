import { createContext, useContext } from "react";

/** The tab index of controls in a table row: only the active row's controls are in the tab order. */
export const RowTab = createContext<number | undefined>(undefined);
export const useRowTab = (): number | undefined => useContext(RowTab);
