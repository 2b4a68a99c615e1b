import { decimal } from "#renderer/core/format.ts";
import type { activityTexts as english } from "#renderer/core/texts/activity.ts";
import type { Translated } from "#renderer/core/texts/translated.ts";

export const activityTexts: Translated<typeof english> = {
  activity: {
    title: "Aktivität",
    tip: "Was dieses Fenster die Engine hat tun lassen, als docker-Befehle und API-Aufrufe",
    empty: "Jede Aktion dieses Fensters erscheint hier mit dem docker-Befehl und dem API-Aufruf, für die sie steht.",
    clear: "Liste leeren",
    took: (ms) => (ms < 1000 ? `${ms} ms` : `${decimal(ms / 1000)} s`),
    results: { running: "läuft", done: "fertig", failed: "fehlgeschlagen" },
    copyCommand: "docker-Befehl kopieren",
    copyCall: "Als curl kopieren",
    body: "Inhalt",
  },
};
