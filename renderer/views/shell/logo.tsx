/** A crate on a slipway. */
export const Logo = ({ size = 24 }: { readonly size?: number }) => (
  <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden className="shrink-0">
    <rect width="32" height="32" rx="8" className="fill-accent" />
    <path d="M9 12.2 16 8.5l7 3.7v5.6l-7 3.7-7-3.7z" fill="#fff" fillOpacity=".95" />
    <path d="m9 12.2 7 3.7 7-3.7M16 15.9v5.6" fill="none" className="stroke-accent" strokeWidth="1.4" strokeLinejoin="round" />
    <path d="M5 23.2 27 27" stroke="#fff" strokeWidth="2.2" strokeLinecap="round" strokeOpacity=".7" />
  </svg>
);
