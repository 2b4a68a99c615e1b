const tailLength = 12;

/** A text that loses its middle where it does not fit: beginning and end tell names apart. */
export const Middle = ({ text }: { readonly text: string }) =>
  text.length <= 2 * tailLength ? (
    <span className="block truncate">{text}</span>
  ) : (
    <span className="flex min-w-0">
      <span className="truncate whitespace-pre">{text.slice(0, -tailLength)}</span>
      <span className="shrink-0 whitespace-pre">{text.slice(-tailLength)}</span>
    </span>
  );
