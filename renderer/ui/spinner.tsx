import { LoaderCircle } from "lucide-react";
import { cx } from "./cx.ts";

export const Spinner = ({ size = 14, className }: { readonly size?: number; readonly className?: string }) => (
  <LoaderCircle size={size} strokeWidth={2.2} aria-hidden className={cx("animate-spin", className)} />
);
