import type { ReactNode } from "react";
import { cx } from "./cx.ts";

export interface SimpleTableProps {
  readonly label: string;
  readonly head: readonly string[];
  readonly rows: readonly { readonly key: string; readonly cells: readonly ReactNode[] }[];
  readonly mono?: boolean;
}

/** A plain table to read: a few dozen rows, no selection. */
export const SimpleTable = ({ label, head, rows, mono = false }: SimpleTableProps) => (
  <table aria-label={label} className="w-full border-separate border-spacing-0 overflow-hidden rounded-lg border border-line text-left">
    <thead>
      <tr>
        {head.map((title) => (
          <th key={title} scope="col" className="border-b border-line bg-sunken/60 px-3 py-1.5 text-sm font-medium whitespace-nowrap text-fg3">
            {title}
          </th>
        ))}
      </tr>
    </thead>
    <tbody>
      {rows.map(({ key, cells }) => (
        <tr key={key} className="group hover:bg-hover">
          {head.map((title, index) => (
            <td
              key={title}
              className={cx(
                "selectable border-b border-line px-3 py-1.5 align-middle group-last:border-0",
                mono && "font-mono text-sm",
                index === head.length - 1 ? "[overflow-wrap:anywhere]" : "whitespace-nowrap",
              )}
            >
              {cells[index]}
            </td>
          ))}
        </tr>
      ))}
    </tbody>
  </table>
);
