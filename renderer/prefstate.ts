import { useState } from "react";
import { readPref, writePref } from "./core/prefs.ts";

/** A choice about the view that survives navigation, reload and restart. */
export function usePref<T>(name: string, fallback: T): readonly [T, (value: T) => void] {
  const [value, setValue] = useState<T>(() => readPref(name, fallback));
  return [
    value,
    (next) => {
      writePref(name, next);
      setValue(next);
    },
  ];
}
