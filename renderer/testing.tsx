import type { ReactNode } from "react";
import { createRoot } from "react-dom/client";
import { vi } from "vitest";
import type { App, AppOptions } from "#renderer/core/app.ts";
import { createApp, startApp } from "#renderer/core/app.ts";
import { Window } from "./app.tsx";
import { type FakeBridge, fakeBridge } from "./fakebridge.ts";

/** What jsdom lacks and the window needs: modal dialogs, sizes (all elements are 1000 by 800) and observers of them. */
export function completeDom(): void {
  HTMLDialogElement.prototype.showModal ??= function showModal(this: HTMLDialogElement) {
    this.open = true;
  };
  HTMLDialogElement.prototype.close ??= function close(this: HTMLDialogElement) {
    this.open = false;
  };
  globalThis.ResizeObserver ??= class {
    observe(): void {}
    unobserve(): void {}
    disconnect(): void {}
  };
  vi.spyOn(Element.prototype, "clientHeight", "get").mockReturnValue(800);
  vi.spyOn(Element.prototype, "clientWidth", "get").mockReturnValue(1000);
  Element.prototype.scrollTo ??= () => undefined;
  globalThis.CSS ??= { escape: (text: string) => text } as typeof CSS;
}

export async function draw(node: ReactNode): Promise<{ readonly host: HTMLElement; readonly unmount: () => void }> {
  const host = document.createElement("div");
  document.body.append(host);
  const root = createRoot(host);
  root.render(node);
  await settled();
  return {
    host,
    unmount: () => {
      root.unmount();
      host.remove();
    },
  };
}

/** Long enough for a computer that is busy with other things. */
const waitMsMax = 20_000;

/** The whole window over a scripted bridge, at an address. */
export async function openWindow(
  address: string,
  script: (bridge: FakeBridge) => void,
  options?: AppOptions,
): Promise<{ readonly bridge: FakeBridge; readonly app: App } & Disposable> {
  const bridge = fakeBridge();
  script(bridge);
  location.hash = address;
  const app = createApp(bridge, options);
  const stop = new AbortController();
  startApp(app, stop.signal);
  const { unmount } = await draw(<Window app={app} />);
  return {
    bridge,
    app,
    [Symbol.dispose]: () => {
      stop.abort();
      unmount();
    },
  };
}

/** Lets React draw what the last event changed. */
const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));

/** Waits until `find` finds something. */
export async function found<T>(find: () => T | null | undefined | false): Promise<T> {
  return await vi.waitFor(() => {
    const value = find();
    if (value === null || value === undefined || value === false) throw new Error(`not found: ${find.toString()}\n${document.body.textContent}`);
    return value;
  }, waitMsMax);
}

export const byTestId = (id: string): HTMLElement | null => document.querySelector(`[data-testid="${id}"]`);
export const button = (name: string): HTMLButtonElement | undefined =>
  [...document.querySelectorAll("button")].find((one) => one.getAttribute("aria-label") === name || one.textContent === name);

export async function click(element: Element, init: MouseEventInit = {}): Promise<void> {
  element.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true, ...init }));
  await settled();
}

export async function press(key: string, init: KeyboardEventInit = {}): Promise<void> {
  (document.activeElement ?? document.body).dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...init }));
  await settled();
}

export async function type(label: string, text: string): Promise<void> {
  const input = [...document.querySelectorAll("input")].find((one) => one.getAttribute("aria-label") === label || labelOf(one) === label);
  if (input === undefined) throw new Error(`no field ${label}`);
  // React watches the value's setter: the prototype's own is what a person's typing goes through.
  Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value")?.set?.call(input, text);
  input.dispatchEvent(new Event("input", { bubbles: true }));
  await settled();
}

const labelOf = (input: HTMLInputElement): string | undefined => document.querySelector(`label[for="${input.id}"]`)?.textContent ?? undefined;
