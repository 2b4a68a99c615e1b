import { useEffect } from "react";
import { places } from "./navigation.ts";

export interface KeyActions {
  readonly go: (path: string) => void;
  readonly help: () => void;
  readonly palette: () => void;
}

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && (target.matches("input, textarea, select, [contenteditable]") || target.closest(".xterm") !== null);

/** The keys that work on every page. What a page or dialog uses itself it stops from coming here. */
export function useGlobalKeys({ go, help, palette }: KeyActions): void {
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent): void => {
      if (event.defaultPrevented || document.querySelector("dialog[open]") !== null) return;
      const place = (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey ? places()[Number(event.key) - 1] : undefined;
      // In a shell Ctrl+K is the shell's own.
      const inShell = event.target instanceof HTMLElement && event.target.closest(".xterm") !== null;
      if (event.key.toLowerCase() === "k" && (event.metaKey || (event.ctrlKey && !inShell)) && !event.altKey && !event.shiftKey) palette();
      else if (place !== undefined) go(place.path);
      else if ((event.ctrlKey || event.metaKey) && (event.key === "[" || event.key === "]")) history.go(event.key === "[" ? -1 : 1);
      else if (undoes(event)) undoButtons().at(-1)?.click();
      else if (isTyping(event.target) || event.ctrlKey || event.metaKey || event.altKey) return;
      else if (event.key === "/") document.querySelector<HTMLInputElement>("[data-search]")?.focus();
      else if (event.key === "?") help();
      else return;
      event.preventDefault();
    };
    addEventListener("keydown", onKeyDown);
    return () => removeEventListener("keydown", onKeyDown);
  }, [go, help, palette]);
}

/** The way back that the messages offer, newest last; they leave after ten seconds, too soon to reach them by Tab. */
const undoButtons = (): readonly HTMLElement[] => [...document.querySelectorAll<HTMLElement>("[data-undo]")];

const undoes = (event: KeyboardEvent): boolean =>
  event.key.toLowerCase() === "z" &&
  (event.ctrlKey || event.metaKey) &&
  !event.shiftKey &&
  !event.altKey &&
  !isTyping(event.target) &&
  undoButtons().length > 0;

/** Escape leaves a detail page, unless something on it has a use for the key: a field, a shell, a dialog, a menu. */
export function useEscape(leave: () => void): void {
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent): void => {
      if (event.key !== "Escape" || event.defaultPrevented || isTyping(event.target)) return;
      if (document.querySelector("dialog[open], [role=menu]") === null) leave();
    };
    addEventListener("keydown", onKeyDown);
    return () => removeEventListener("keydown", onKeyDown);
  }, [leave]);
}
