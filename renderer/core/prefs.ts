/** Small view choices that survive navigation and reload: sort orders, the log view's switches. */
const prefix = "slipway.view.";

export function readPref<T>(name: string, fallback: T): T {
  const text = localStorage.getItem(prefix + name);
  if (text === null) return fallback;
  try {
    return JSON.parse(text) as T;
  } catch {
    return fallback;
  }
}

export const writePref = (name: string, value: unknown): void => localStorage.setItem(prefix + name, JSON.stringify(value));
