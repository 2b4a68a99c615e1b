import { type Stats, closeSync, constants, fstatSync, lstatSync, openSync, readdirSync, rmdirSync, unlinkSync } from "node:fs";
import { codeOf } from "#base/errors.ts";

/**
 * File system calls relative to an open directory, as the *at calls of Linux: one name below a descriptor, never followed when it
 * is a link. A container that swaps directories for links under our hands can only hurt itself.
 */
export class Directory implements Disposable {
  readonly fd: number;

  /** Takes the descriptor over. */
  constructor(fd: number) {
    this.fd = fd;
  }

  /** A path for calls that do not follow the last name (lstat, readlink, symlink, link, mkdir, unlink, lchown). */
  at(name: string): string {
    return `/proc/self/fd/${this.fd}/${name}`;
  }

  stat(): Stats {
    return fstatSync(this.fd);
  }

  lstat(name: string): Stats | undefined {
    return lstatSync(this.at(name), { throwIfNoEntry: false });
  }

  names(): string[] {
    return readdirSync(`/proc/self/fd/${this.fd}`);
  }

  /** Opens a file without following it; `flags` beside O_NOFOLLOW. The caller closes the descriptor. */
  open(name: string, flags: number, mode?: number): number {
    return openSync(this.at(name), flags | constants.O_NOFOLLOW, mode);
  }

  directory(name: string): Directory {
    return new Directory(this.open(name, constants.O_RDONLY | constants.O_DIRECTORY));
  }

  /** Removes whatever the name is, a directory with all it holds. Missing is fine. */
  remove(name: string): void {
    const found = this.lstat(name);
    if (found === undefined) return;
    try {
      if (found.isDirectory()) this.#removeDirectory(name);
      else unlinkSync(this.at(name));
    } catch (error) {
      if (codeOf(error) !== "ENOENT") throw error;
    }
  }

  #removeDirectory(name: string): void {
    {
      using inside = this.directory(name);
      for (const child of inside.names()) inside.remove(child);
    }
    rmdirSync(this.at(name));
  }

  [Symbol.dispose](): void {
    closeSync(this.fd);
  }
}
