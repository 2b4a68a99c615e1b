import type { MachinePhase } from "#api/machine.ts";
import type { Language } from "#bridge/language.ts";
import type { Happening } from "#host/happenings.ts";

/** What is said outside of the window, whose catalogues belong to the page: in the tray, the menu, notifications and dialogs. */
export interface ShellTexts {
  readonly engine: Readonly<Record<MachinePhase, string>>;
  readonly openWindow: string;
  readonly open: string;
  readonly stop: string;
  readonly more: (n: number) => string;
  readonly startEngine: string;
  readonly stopEngine: string;
  readonly startAtLogin: string;
  readonly quit: string;
  readonly view: string;
  readonly cannotStart: string;
  readonly pageEnded: string;
  readonly pageEndedWhy: (reason: string) => string;
  readonly reload: string;
  readonly close: string;
  readonly happened: (happening: Happening) => { readonly title: string; readonly body: string };
}

const gigabytes = (bytes: number, language: Language): string =>
  `${(bytes / 1e9).toLocaleString(language, { minimumFractionDigits: 1, maximumFractionDigits: 1 })} GB`;

const english: ShellTexts = {
  engine: {
    stopped: "The engine is stopped",
    starting: "The engine is starting",
    running: "The engine is running",
    stopping: "The engine is stopping",
    failed: "The engine has failed",
  },
  openWindow: "Open Slipway",
  open: "Open",
  stop: "Stop",
  more: (n) => `${n} more…`,
  startEngine: "Start the engine",
  stopEngine: "Stop the engine",
  startAtLogin: "Start at login",
  quit: "Quit Slipway",
  view: "View",
  cannotStart: "Slipway cannot start",
  pageEnded: "The window’s page ended.",
  pageEndedWhy: (reason) => `Reason: ${reason}. Containers are not affected.`,
  reload: "Reload",
  close: "Close",
  happened(happening) {
    switch (happening.what) {
      case "exited":
        return { title: `${happening.name} ended with exit code ${happening.exitCode}`, body: "Its log says more." };
      case "outOfMemory":
        return { title: `${happening.name} ran out of memory`, body: `It ended with exit code ${happening.exitCode}.` };
      case "unhealthy":
        return { title: `${happening.name} is unhealthy`, body: "Its health check fails." };
      case "failed":
        return { title: "The engine has failed", body: happening.reason ?? "Open Slipway to see its log." };
      case "diskFull":
        return {
          title: `The disk is ${happening.percent} % full`,
          body: `${gigabytes(happening.freeBytes, "en")} are left. The Engine page shows what takes the room.`,
        };
    }
  },
};

const german: ShellTexts = {
  engine: {
    stopped: "Die Engine ist angehalten",
    starting: "Die Engine startet",
    running: "Die Engine läuft",
    stopping: "Die Engine wird angehalten",
    failed: "Die Engine ist ausgefallen",
  },
  openWindow: "Slipway öffnen",
  open: "Öffnen",
  stop: "Anhalten",
  more: (n) => `${n} weitere…`,
  startEngine: "Die Engine starten",
  stopEngine: "Die Engine anhalten",
  startAtLogin: "Bei der Anmeldung starten",
  quit: "Slipway beenden",
  view: "Ansicht",
  cannotStart: "Slipway kann nicht starten",
  pageEnded: "Die Seite des Fensters wurde beendet.",
  pageEndedWhy: (reason) => `Grund: ${reason}. Container sind nicht betroffen.`,
  reload: "Neu laden",
  close: "Schließen",
  happened(happening) {
    switch (happening.what) {
      case "exited":
        return { title: `${happening.name} endete mit Exit-Code ${happening.exitCode}`, body: "Mehr steht im Log." };
      case "outOfMemory":
        return { title: `${happening.name} hatte nicht genug Speicher`, body: `Beendet mit Exit-Code ${happening.exitCode}.` };
      case "unhealthy":
        return { title: `${happening.name} ist ungesund`, body: "Die Zustandsprüfung scheitert." };
      case "failed":
        return { title: "Die Engine ist ausgefallen", body: happening.reason ?? "Slipway öffnen zeigt ihr Log." };
      case "diskFull":
        return {
          title: `Die Platte ist zu ${happening.percent} % voll`,
          body: `${gigabytes(happening.freeBytes, "de")} sind frei. Die Seite „Engine“ zeigt, was den Platz belegt.`,
        };
    }
  },
};

export const shellTexts: Readonly<Record<Language, ShellTexts>> = { en: english, de: german };
