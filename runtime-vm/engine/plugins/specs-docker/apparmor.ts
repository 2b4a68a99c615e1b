import { closeSync, constants, openSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { HostConfig } from "#api/containers.ts";
import { EngineError, messageOf } from "#base/errors.ts";
import { parseSecurityOptions } from "./security.ts";

const defaultProfile = "docker-default";
const unconfined = "unconfined";

export interface AppArmorOptions {
  /** The default profile, compiled. */
  readonly policy: string;
  /** AppArmor's directory of securityfs. */
  readonly securityfs?: string;
  /** The kernel's own word on whether AppArmor is on. */
  readonly parameter?: string;
}

/**
 * The kernel's AppArmor, by its files in securityfs (Documentation/admin-guide/LSM/apparmor.rst): `profiles` names what is
 * loaded, one `NAME (MODE)` a line, and `.replace` takes compiled policy, in one write.
 */
export class AppArmor {
  readonly #policy: string;
  readonly #securityfs: string;

  private constructor(policy: string, securityfs: string) {
    this.#policy = policy;
    this.#securityfs = securityfs;
  }

  /** Undefined where the kernel has no AppArmor, or shows none of it here: then containers run without. */
  static open({
    policy,
    securityfs = "/sys/kernel/security/apparmor",
    parameter = "/sys/module/apparmor/parameters/enabled",
  }: AppArmorOptions): AppArmor | undefined {
    const apparmor = new AppArmor(policy, securityfs);
    try {
      if (!read(parameter).startsWith("Y")) return undefined;
      apparmor.#loaded();
      return apparmor;
    } catch {
      return undefined;
    }
  }

  /** The profile a container runs under. Whether one that was asked for exists is for the runtime to find out. */
  profileOf(host: HostConfig): string {
    return host.Privileged ? unconfined : parseSecurityOptions(host).apparmor || defaultProfile;
  }

  /** `profileOf`, the default one made sure of: an upgrade of the system may have unloaded it. */
  prepared(host: HostConfig): string {
    const profile = this.profileOf(host);
    if (profile === defaultProfile) this.#load();
    return profile;
  }

  #load(): void {
    try {
      if (this.#loaded().includes(defaultProfile)) return;
      const file = openSync(join(this.#securityfs, ".replace"), constants.O_WRONLY);
      try {
        writeSync(file, readFileSync(this.#policy));
      } finally {
        closeSync(file);
      }
    } catch (error) {
      throw new EngineError("internal", `AppArmor enabled on system but the ${defaultProfile} profile could not be loaded: ${messageOf(error)}`, {
        cause: error,
      });
    }
  }

  #loaded(): string[] {
    return read(join(this.#securityfs, "profiles"))
      .split("\n")
      .map((line) => line.slice(0, Math.max(0, line.lastIndexOf(" ("))));
  }
}

/** As bytes first: these files tell no size. */
const read = (path: string): string => readFileSync(path).toString();
