import { HardDrive } from "lucide-react";
import { useState } from "react";
import { useLocation } from "wouter";
import { useStore } from "zustand";
import { type DiskLevel, levelOf, takenShare } from "#base/disk-room.ts";
import { useApp } from "#renderer/appcontext.ts";
import { type UseOfKind, largest } from "#renderer/core/diskuse.ts";
import { size } from "#renderer/core/format.ts";
import { engineUp } from "#renderer/core/machine.ts";
import { t } from "#renderer/core/texts.ts";
import { useDiskUse } from "#renderer/queries.ts";
import { Button } from "#renderer/ui/button.tsx";
import { cx } from "#renderer/ui/cx.ts";

const namedMax = 3;

/** The disk is getting full: how full, by what, and the way to room. Put away, it comes back when the disk gets fuller still. */
export function DiskBanner() {
  const view = useStore(useApp().machine);
  const [away, setAway] = useState<DiskLevel>();
  const disk = engineUp(view) ? view.status?.usage?.disk : undefined;
  const level = disk === undefined ? "plenty" : levelOf(disk);
  if (disk === undefined || level === "plenty" || level === away) return null;
  return <Banner disk={disk} level={level} onAway={() => setAway(level)} />;
}

interface BannerProps {
  readonly disk: { readonly of: "machine" | "computer"; readonly totalBytes: number; readonly freeBytes: number };
  readonly level: DiskLevel;
  readonly onAway: () => void;
}

function Banner({ disk, level, onAway }: BannerProps) {
  const [location, go] = useLocation();
  const { data } = useDiskUse();
  const critical = level === "critical";
  return (
    <div
      role={critical ? "alert" : "status"}
      data-testid="disk-banner"
      className={cx("flex shrink-0 items-center gap-3 border-b border-line px-4 py-2", critical ? "bg-danger-soft" : "bg-warn-soft")}
    >
      <HardDrive size={18} strokeWidth={1.8} aria-hidden className={cx("shrink-0", critical ? "text-danger-text" : "text-warn-text")} />
      <div className="min-w-0 flex-1">
        <p className="font-medium">
          {disk.of === "computer" ? t.disk.computer(size(disk.freeBytes)) : t.disk.machine(Math.floor(takenShare(disk) * 100), size(disk.freeBytes))}
        </p>
        <p className="text-sm text-fg2">{data === undefined ? t.disk.counting : takers(data)}</p>
      </div>
      <Button small onClick={onAway}>
        {t.disk.away}
      </Button>
      {location !== "/engine" && (
        <Button small variant="primary" onClick={() => go("/engine")}>
          {t.disk.makeRoom}
        </Button>
      )}
    </div>
  );
}

function takers(use: readonly UseOfKind[]): string {
  const named = largest(use, namedMax).map(({ kind, name, bytes }) => `${t.disk.kinds[kind]} ${name} (${size(bytes)})`);
  const reclaimable = use.reduce((sum, kind) => sum + kind.reclaimable, 0);
  return named.length === 0 ? t.disk.notOurs : t.disk.takers(named, size(reclaimable));
}
