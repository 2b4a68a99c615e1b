import { t } from "#renderer/core/texts.ts";
import { Button } from "#renderer/ui/button.tsx";
import { Dialog } from "#renderer/ui/dialog.tsx";
import { isMac, modifier, places } from "./navigation.ts";

const groups = (): readonly (readonly [string, readonly (readonly [string, string])[]])[] => [
  [
    t.shortcuts.everywhere,
    [
      ...places().map(({ label }, index) => [`${modifier}${index + 1}`, t.shortcuts.goTo(label)] as const),
      [`${modifier}K`, t.shortcuts.palette],
      ["/", t.shortcuts.search],
      [`${modifier}Z`, t.shortcuts.undo],
      ["Esc", t.shortcuts.back],
      ["?", t.shortcuts.help],
    ],
  ],
  [
    t.shortcuts.inLists,
    [
      ["↑ ↓", t.shortcuts.move],
      ["Enter", t.shortcuts.open],
      ["Space", t.shortcuts.select],
      ["Shift+↑ ↓", t.shortcuts.range],
      [`${modifier}A`, t.shortcuts.selectAll],
      ["Shift+F10", t.shortcuts.menu],
      [isMac ? "⌘⌫" : "Delete", t.shortcuts.deleteSelected],
    ],
  ],
  [
    t.shortcuts.inLogs,
    [
      [`${modifier}F`, t.shortcuts.find],
      ["n / p", t.shortcuts.nextMatch],
      ["End", t.shortcuts.newest],
    ],
  ],
];

export const ShortcutsDialog = ({ onClose }: { readonly onClose: () => void }) => (
  <Dialog
    title={t.shortcuts.title}
    onClose={onClose}
    width={640}
    footer={
      <Button onClick={onClose} data-autofocus>
        {t.common.close}
      </Button>
    }
  >
    <div className="columns-2 gap-8 pt-1">
      {groups().map(([title, rows]) => (
        <section key={title} className="mb-4 break-inside-avoid">
          <h3 className="mb-1 text-sm font-medium text-fg3">{title}</h3>
          <dl>
            {rows.map(([keys, what]) => (
              <div key={keys} className="flex items-center justify-between gap-4 py-[3px]">
                <dt>{what}</dt>
                <dd>
                  <kbd className="rounded-sm border border-line-strong bg-sunken px-1.5 py-px font-sans text-xs text-fg2">{keys}</kbd>
                </dd>
              </div>
            ))}
          </dl>
        </section>
      ))}
    </div>
  </Dialog>
);
