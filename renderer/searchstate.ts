import { useStore } from "zustand";
import { createStore } from "zustand/vanilla";

/** What is searched for on each page; kept while the window is open, so that Back finds the same list. */
const searches = createStore<Readonly<Record<string, string>>>(() => ({}));

export function useSearch(page: string): readonly [string, (query: string) => void] {
  return [useStore(searches, (state) => state[page] ?? ""), (query) => searches.setState({ [page]: query })];
}
