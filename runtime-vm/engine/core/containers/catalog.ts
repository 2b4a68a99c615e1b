import { EngineError } from "#base/errors.ts";
import type { Container } from "./container.ts";
import { nameConflict } from "./names.ts";

/** The containers there are, found by id, name or the beginning of an id. */
export class Catalog {
  readonly #byId = new Map<string, Container>();
  readonly #byName = new Map<string, string>();

  all(): Container[] {
    return [...this.#byId.values()];
  }

  add(container: Container): void {
    this.#byId.set(container.id, container);
    this.#byName.set(container.name, container.id);
  }

  delete(container: Container): void {
    this.#byId.delete(container.id);
    if (this.#byName.get(container.name) === container.id) this.#byName.delete(container.name);
  }

  /** Takes a name for an id that is about to be; a second taker gets Docker's conflict. Undone by `release`. */
  reserve(name: string, id: string): void {
    const holder = this.#byName.get(name);
    if (holder !== undefined && holder !== id) throw nameConflict(name, holder);
    this.#byName.set(name, id);
  }

  release(name: string, id: string): void {
    if (this.#byName.get(name) === id) this.#byName.delete(name);
  }

  isFree(name: string): boolean {
    return !this.#byName.has(name);
  }

  /** Id, then name, then a prefix of exactly one id. */
  find(reference: string): Container | undefined {
    const name = reference.startsWith("/") ? reference.slice(1) : reference;
    const found = this.#byId.get(reference) ?? this.#byId.get(this.#byName.get(name) ?? "") ?? this.#linked(name);
    if (found !== undefined) return found;
    if (!/^[0-9a-f]+$/.test(reference)) return undefined;
    const matches = this.all().filter(({ id }) => id.startsWith(reference));
    if (matches.length > 1) throw new EngineError("invalidArgument", `multiple IDs found with provided prefix: ${reference}`);
    return matches[0];
  }

  /** `parent/alias`: who the parent calls so. */
  #linked(name: string): Container | undefined {
    const [parent = "", alias, ...more] = name.split("/");
    if (alias === undefined || more.length > 0) return undefined;
    const links = this.#byId.get(this.#byName.get(parent) ?? "")?.spec.links ?? [];
    return this.#byId.get(links.find((link) => link.alias === alias)?.id ?? "");
  }

  /** Whose link `parent/alias` is; class notFound for a name alone that nobody has. */
  link(name: string): { parent: Container; alias: string } {
    const [first = "", alias = ""] = (name.startsWith("/") ? name.slice(1) : name).split("/");
    if (alias === "") {
      this.get(first);
      throw new EngineError("invalidArgument", "Conflict, cannot remove the default link name of the container");
    }
    const parent = this.#byId.get(this.#byName.get(first) ?? "");
    if (parent?.spec.links?.some((link) => link.alias === alias) !== true) throw new EngineError("invalidArgument", `No such link: ${name}`);
    return { parent, alias };
  }

  get(reference: string): Container {
    const found = this.find(reference);
    if (found === undefined) throw new EngineError("notFound", `No such container: ${reference}`);
    return found;
  }
}
