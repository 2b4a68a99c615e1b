/** What a link may look like: a page that only ever shows something, and at most one object's id. It never acts. */
const linkForm = /^slipway:\/\/(containers|images|builds|volumes|networks|compose|engine|settings)(\/[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127})?\/?$/;

/** The page's route for a `slipway://` link (`slipway://containers/web` is `#/containers/web`); undefined for any other text. */
export function routeOf(link: string): string | undefined {
  const [, page, id = ""] = linkForm.exec(link) ?? [];
  return page === undefined ? undefined : `#/${page}${id}`;
}

/** The link among a program's arguments, as Windows and Linux pass it. */
export const linkIn = (argv: readonly string[]): string | undefined => argv.find((arg) => arg.startsWith("slipway://"));
