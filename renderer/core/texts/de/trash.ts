import { count } from "#renderer/core/format.ts";
import type { trashTexts as english } from "#renderer/core/texts/trash.ts";
import type { Translated } from "#renderer/core/texts/translated.ts";

const things = (n: number): string => count(n, "Objekt", "Objekte");

export const trashTexts: Translated<typeof english> = {
  trash: {
    title: "Papierkorb",
    search: "Papierkorb durchsuchen",
    undo: "Rückgängig",
    restore: "Wiederherstellen",
    restoreProject: (project) => `Projekt „${project}“ wiederherstellen`,
    restored: (n, name) => (n === 1 ? `${name} ist wieder da` : `${n} Objekte sind wieder da`),
    restoreFailed: (name) => `„${name}“ konnte nicht wiederhergestellt werden`,
    remove: "Endgültig löschen…",
    removeTitle: (n, name) => (n === 1 ? `„${name}“ endgültig löschen?` : `${n} Objekte endgültig löschen?`),
    removeText: (bytes) => `Gibt ${bytes} frei. Danach bringt es nichts zurück.`,
    removeVerb: (n) => `${things(n)} endgültig löschen`,
    removed: (n, name) => (n === 1 ? `${name} ist endgültig gelöscht` : `${n} Objekte sind endgültig gelöscht`),
    removeFailed: (name) => `„${name}“ konnte nicht endgültig gelöscht werden`,
    empty: "Papierkorb leeren…",
    emptyTitle: "Papierkorb leeren?",
    emptyVerb: "Papierkorb leeren",
    emptied: (n, bytes) => `${things(n)} endgültig gelöscht, ${bytes} frei`,
    emptyFailed: "Der Papierkorb konnte nicht geleert werden",
    listFailed: "Der Papierkorb konnte nicht gelesen werden",
    noneTitle: "Der Papierkorb ist leer",
    noneText: (days) => `Was hier oder von einem Docker-Client gelöscht wird, lässt sich ${count(days, "Tag", "Tage")} lang zurückholen.`,
    noneCommand: "docker rm NAME",
    count: (n, bytes) => `${things(n)}, ${bytes}`,
    kept: (days) => `Bleibt ${count(days, "Tag", "Tage")} oder bis der Platz gebraucht wird.`,
    disk: (n, bytes) => `Außerdem im Papierkorb: ${count(n, "gelöschtes Objekt", "gelöschte Objekte")} mit ${bytes}.`,
    reclaimText: "Sie kommen in den Papierkorb und lassen sich von dort zurückholen. Ihr Platz wird frei, sobald der Papierkorb sie hergibt.",
    reclaimed: (bytes) => `${bytes} in den Papierkorb gelegt`,
    goesThere: "Bis der Papierkorb es hergibt, lässt es sich von dort zurückholen.",
    kinds: { container: "Container", image: "Image", volume: "Volume", network: "Netzwerk", "build-cache": "Build-Cache", platform: "Plattform" },
    columns: { name: "Name", kind: "Art", size: "Größe", removed: "Gelöscht", actions: "Aktionen" },
  },
};
