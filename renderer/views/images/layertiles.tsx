import type { ImageLayers } from "#api/image-files.ts";
import { size } from "#renderer/core/format.ts";
import { instruction } from "#renderer/core/history.ts";
import { t } from "#renderer/core/texts.ts";
import { treemap } from "#renderer/core/treemap.ts";
import { Button } from "#renderer/ui/button.tsx";
import { cx } from "#renderer/ui/cx.ts";

const ratio = 10;
/** Smaller shares have no room for words. */
const wordsWidthMin = 0.08;
const wordsHeightMin = 0.25;
/** Of the whole: a layer that only removes files has to be found and clicked, too. */
const areaMin = 0.02;

export interface LayerTilesProps {
  readonly layers: ImageLayers;
  /** Counted from 0, the lowest; undefined: the whole image. */
  readonly chosen: number | undefined;
  readonly onChoose: (layer: number | undefined) => void;
}

/** An image's layers, each as large as its bytes, hatched as far as later layers waste them; one is chosen by a click. */
export function LayerTiles({ layers: { Layers, Size, Wasted }, chosen, onChoose }: LayerTilesProps) {
  const sorted = Layers.map((layer, index) => ({ ...layer, index, area: Math.max(layer.Size, areaMin * Size, 1) })).toSorted((a, b) => b.area - a.area);
  const tiles = treemap(
    sorted.map(({ area }) => area),
    ratio,
  );
  return (
    <>
      <div className="mb-2 flex items-center gap-3">
        <Button small aria-pressed={chosen === undefined} variant={chosen === undefined ? "secondary" : "ghost"} onClick={() => onChoose(undefined)}>
          {t.images.wholeImage}
        </Button>
        <p className="text-sm text-fg2">{Wasted === 0 ? t.images.noWaste(size(Size)) : t.images.wasted(size(Wasted), size(Size))}</p>
      </div>
      <ul aria-label={t.images.layers} className="relative w-full" style={{ aspectRatio: ratio }}>
        {sorted.map(({ index, DiffID, CreatedBy, Files, Size: bytes, Wasted: wasted }, order) => {
          const { x, y, width, height } = tiles[order] ?? { x: 0, y: 0, width: 0, height: 0 };
          const tip = t.images.layerTip(index + 1, size(bytes), size(wasted), Files, instruction(CreatedBy));
          const words = width >= wordsWidthMin && height >= wordsHeightMin;
          return (
            <li
              key={`${index} ${DiffID}`}
              className="absolute p-px"
              style={{ left: `${100 * x}%`, top: `${100 * y}%`, width: `${100 * width}%`, height: `${100 * height}%` }}
            >
              <button
                type="button"
                aria-label={words ? undefined : t.images.layerName(index + 1)}
                aria-pressed={chosen === index}
                data-tip={tip}
                onClick={() => onChoose(index)}
                className={cx(
                  "tile relative flex size-full flex-col items-start overflow-hidden rounded-sm px-1.5 py-1 text-left text-sm",
                  chosen === index && "outline-2 -outline-offset-2 outline-[var(--focus)]",
                )}
                style={{ "--tile": "var(--accent)" } as React.CSSProperties}
              >
                <span aria-hidden className="tile-unused absolute inset-x-0 bottom-0" style={{ height: `${bytes === 0 ? 0 : (100 * wasted) / bytes}%` }} />
                {words && (
                  <>
                    <span className="sr-only">{t.images.layerName(index + 1)}</span>
                    <span className="w-full truncate font-mono">{instruction(CreatedBy)}</span>
                    <span className="tabular truncate text-fg2">{`${index + 1} · ${size(bytes)}`}</span>
                  </>
                )}
              </button>
            </li>
          );
        })}
      </ul>
    </>
  );
}
