import { MoreHorizontal } from "lucide-react";
import { t } from "#renderer/core/texts.ts";
import { IconButton } from "./button.tsx";

/** Opens the row's own menu: the one that the right button opens. */
export const MenuButton = ({ name }: { readonly name: string }) => (
  <IconButton
    icon={MoreHorizontal}
    label={t.common.actionsFor(name)}
    aria-haspopup="menu"
    onClick={(event) => {
      const box = event.currentTarget.getBoundingClientRect();
      event.currentTarget.dispatchEvent(new MouseEvent("contextmenu", { bubbles: true, cancelable: true, clientX: box.left - 140, clientY: box.bottom + 2 }));
    }}
  />
);
