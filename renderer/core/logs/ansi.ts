/* oxlint-disable no-control-regex -- control characters are what this file is about */
/**
 * Colours in log lines: the SGR subset of ECMA-48 (`ESC [ … m`). Every other control sequence, and control characters
 * that are not layout, are taken out. Each line starts plain: a colour left open does not run into the next line.
 */
export interface AnsiStyle {
  /** 0-15: theme colours by index; else `rgb(…)`. */
  readonly color?: number | string;
  readonly background?: number | string;
  readonly bold?: boolean;
  readonly dim?: boolean;
  readonly italic?: boolean;
  readonly underline?: boolean;
  readonly inverse?: boolean;
  readonly strike?: boolean;
}
export interface AnsiSpan {
  readonly text: string;
  readonly style: AnsiStyle;
}

// CSI sequences, OSC sequences (to BEL or ST), character sets, two-character escapes, then lone control characters except tab.
const sequence =
  /\x1b\[([0-9;:]*)([ -/]*[@-~])|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[()*+][0-9A-Za-z]|\x1b[@-Z\\-_a-z0-9=><]?|[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f]/g;

/** The line without any control sequence. */
export const plain = (text: string): string => text.replace(sequence, "");

export function parseAnsi(text: string): readonly AnsiSpan[] {
  const spans: AnsiSpan[] = [];
  let style: AnsiStyle = {};
  let end = 0;
  const push = (part: string): void => {
    if (part === "") return;
    const last = spans.at(-1);
    if (last !== undefined && last.style === style) spans[spans.length - 1] = { text: last.text + part, style };
    else spans.push({ text: part, style });
  };
  for (const match of text.matchAll(sequence)) {
    push(text.slice(end, match.index));
    end = match.index + match[0].length;
    if (match[2] === "m") style = applySgr(style, match[1] ?? "");
  }
  push(text.slice(end));
  return spans;
}

function applySgr(before: AnsiStyle, parameters: string): AnsiStyle {
  const codes = parameters.split(/[;:]/).map((code) => Number(code || 0));
  let style = before;
  for (let i = 0; i < codes.length; i += 1) {
    const code = codes[i] ?? 0;
    if (code === 38 || code === 48) {
      const [color, used] = extendedColor(codes, i + 1);
      if (color !== undefined) style = { ...style, [code === 38 ? "color" : "background"]: color };
      i += used;
    } else style = applyCode(style, code);
  }
  return style;
}

function applyCode(style: AnsiStyle, code: number): AnsiStyle {
  if (code === 0) return {};
  if (code >= 30 && code <= 37) return { ...style, color: code - 30 };
  if (code >= 90 && code <= 97) return { ...style, color: code - 90 + 8 };
  if (code >= 40 && code <= 47) return { ...style, background: code - 40 };
  if (code >= 100 && code <= 107) return { ...style, background: code - 100 + 8 };
  const { color: _c, ...withoutColor } = style;
  const { background: _b, ...withoutBackground } = style;
  if (code === 39) return withoutColor;
  if (code === 49) return withoutBackground;
  const change = switches[code];
  return change === undefined ? style : { ...style, ...change };
}

const switches: Readonly<Record<number, Partial<AnsiStyle>>> = {
  1: { bold: true },
  2: { dim: true },
  3: { italic: true },
  4: { underline: true },
  7: { inverse: true },
  9: { strike: true },
  22: { bold: false, dim: false },
  23: { italic: false },
  24: { underline: false },
  27: { inverse: false },
  29: { strike: false },
};

/** `5;n` or `2;r;g;b` after 38 or 48: the colour and how many codes it took. */
function extendedColor(codes: readonly number[], at: number): readonly [number | string | undefined, number] {
  if (codes[at] === 5) return [indexed(codes[at + 1] ?? 0), 2];
  if (codes[at] !== 2) return [undefined, 0];
  const [r, g, b] = [codes[at + 1] ?? 0, codes[at + 2] ?? 0, codes[at + 3] ?? 0].map((part) => Math.min(255, part));
  return [`rgb(${r} ${g} ${b})`, 4];
}

/** xterm's 256 colours: 16 of the theme, a 6x6x6 cube, 24 greys. */
function indexed(n: number): number | string {
  if (n < 16) return n;
  if (n >= 232) {
    const grey = 8 + (Math.min(n, 255) - 232) * 10;
    return `rgb(${grey} ${grey} ${grey})`;
  }
  const level = (part: number): number => (part === 0 ? 0 : 55 + part * 40);
  const cube = n - 16;
  return `rgb(${level(Math.floor(cube / 36))} ${level(Math.floor(cube / 6) % 6)} ${level(cube % 6)})`;
}
