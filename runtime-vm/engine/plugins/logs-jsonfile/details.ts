/** As `docker logs --details` shows attributes, those of a JSON object: `name=value,name=value`, escaped as in a URL's query. */
export function detailsText(attributes: string): string {
  const found = attributes === "" ? {} : (JSON.parse(attributes) as Record<string, string>);
  return Object.entries(found)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${queryEscape(name)}=${queryEscape(value)}`)
    .join(",");
}

const queryEscape = (text: string): string =>
  encodeURIComponent(text)
    .replaceAll("%20", "+")
    .replace(/[!'()*]/g, (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`);
