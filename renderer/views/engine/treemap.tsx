import type { UseItem } from "#renderer/core/diskuse.ts";
import { size } from "#renderer/core/format.ts";
import { t } from "#renderer/core/texts.ts";
import { treemap } from "#renderer/core/treemap.ts";
import { cx } from "#renderer/ui/cx.ts";
import { kindColors } from "./kindcolors.ts";

const ratio = 6;
/** A tile narrower or lower than these shares has no room for words. */
const wordsWidthMin = 0.07;
const wordsHeightMin = 0.16;

/** The largest things, each as large as its bytes; a click opens it. Unused ones are hatched. */
export function Treemap({ items }: { readonly items: readonly UseItem[] }) {
  const tiles = treemap(
    items.map(({ bytes }) => bytes),
    ratio,
  );
  return (
    <ul aria-label={t.enginePage.largest} className="relative w-full" style={{ aspectRatio: ratio }}>
      {items.map((item, index) => {
        const { x, y, width, height } = tiles[index] ?? { x: 0, y: 0, width: 0, height: 0 };
        const label = t.enginePage.tile(item.name, t.enginePage.useKinds[item.kind], size(item.bytes));
        const words = width >= wordsWidthMin && height >= wordsHeightMin;
        return (
          <li
            key={`${item.kind} ${item.id}`}
            className="absolute p-px"
            style={{ left: `${100 * x}%`, top: `${100 * y}%`, width: `${100 * width}%`, height: `${100 * height}%` }}
          >
            <a
              href={hrefOf(item)}
              aria-label={words ? undefined : label}
              data-tip={label}
              // What has no words has no padding either, or the smallest would be larger than its share and stick out of the map.
              className={cx("tile flex size-full flex-col overflow-hidden rounded-sm text-sm", words && "px-1.5 py-1", item.unused && "tile-unused")}
              style={{ "--tile": kindColors[item.kind] } as React.CSSProperties}
            >
              {words && (
                <>
                  <span className="truncate font-medium">{item.name}</span>
                  <span className="tabular truncate text-fg2">{size(item.bytes)}</span>
                  <span className="sr-only">{t.enginePage.useKinds[item.kind]}</span>
                </>
              )}
            </a>
          </li>
        );
      })}
    </ul>
  );
}

const hrefOf = ({ kind, id, name }: UseItem): string => (kind === "cache" ? "#/engine" : `#/${kind}/${encodeURIComponent(kind === "images" ? name : id)}`);
