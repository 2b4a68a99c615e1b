import { useEffect, useLayoutEffect, useRef, useState } from "react";

const delayMs = 450;

interface Tip {
  readonly text: string;
  readonly box: DOMRect;
}

/** The tip of an element: `data-tip`, or `data-tip-cut` when the text on it does not fit. */
function tipOf(target: Element): string {
  const cut = (element: Element): boolean => element.scrollWidth > element.clientWidth + 1 && getComputedStyle(element).overflowX !== "visible";
  const whole = target.getAttribute("data-tip-cut");
  if (whole !== null && [target, ...target.querySelectorAll("*")].some(cut)) return whole;
  return target.getAttribute("data-tip") ?? "";
}

/** Shows the tip of whatever is hovered or focused by keyboard. One for the whole window; place it last. */
export function TooltipHost() {
  const [tip, setTip] = useState<Tip>();
  const ref = useRef<HTMLDivElement>(null);

  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const show = (target: Element, wait: number): void => {
      clearTimeout(timer);
      const text = tipOf(target);
      if (text === "") return;
      timer = setTimeout(() => target.isConnected && setTip({ text, box: target.getBoundingClientRect() }), wait);
    };
    const hide = (): void => {
      clearTimeout(timer);
      setTip(undefined);
    };
    const over = (event: Event): void => {
      const target = event.target instanceof Element ? event.target.closest("[data-tip], [data-tip-cut]") : null;
      hide();
      if (target !== null) show(target, delayMs);
    };
    const focus = (event: FocusEvent): void => {
      if (event.target instanceof Element && event.target.matches("[data-tip]:focus-visible, [data-tip-cut]:focus-visible")) show(event.target, 0);
    };
    document.addEventListener("pointerover", over);
    document.addEventListener("focusin", focus);
    document.addEventListener("focusout", hide);
    document.addEventListener("pointerdown", hide);
    document.addEventListener("keydown", hide);
    document.addEventListener("scroll", hide, true);
    return () => {
      clearTimeout(timer);
      document.removeEventListener("pointerover", over);
      document.removeEventListener("focusin", focus);
      document.removeEventListener("focusout", hide);
      document.removeEventListener("pointerdown", hide);
      document.removeEventListener("keydown", hide);
      document.removeEventListener("scroll", hide, true);
    };
  }, []);

  useLayoutEffect(() => {
    const element = ref.current;
    if (element === null || tip === undefined) return;
    const { width, height } = element.getBoundingClientRect();
    const left = Math.max(6, Math.min(tip.box.left + tip.box.width / 2 - width / 2, innerWidth - width - 6));
    const below = tip.box.bottom + 6;
    element.style.left = `${left}px`;
    element.style.top = `${below + height > innerHeight - 6 ? tip.box.top - height - 6 : below}px`;
  }, [tip]);

  if (tip === undefined) return null;
  return (
    <div
      ref={ref}
      role="tooltip"
      className="menu-in pointer-events-none fixed z-50 max-w-[420px] rounded-md bg-fg px-2 py-1 text-sm break-words whitespace-pre-line text-page shadow-float"
    >
      {tip.text}
    </div>
  );
}
