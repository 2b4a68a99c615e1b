import { count } from "#renderer/core/format.ts";
import type { enginePageTexts as english } from "#renderer/core/texts/engine.ts";
import type { Translated } from "#renderer/core/texts/translated.ts";

export const enginePageTexts: Translated<typeof english> = {
  enginePage: {
    title: "Engine",
    state: "Zustand",
    machine: "Maschine",
    graphs: "Maschine",
    cpu: "CPU",
    cpuNote: (cpus) => `von ${count(cpus, "CPU", "CPUs")}`,
    memory: "Speicher",
    memoryNote: (total) => `von ${total}`,
    disk: "Datenplatte",
    diskNote: "was sie von diesem Computer belegt",
    waiting: "Die ersten Werte kommen wenige Sekunden nach dem Start.",
    noFigures: "Diese Engine läuft außerhalb von Slipways Maschine und hat deshalb keine Werte einer Maschine.",
    use: "Belegter Platz",
    useKinds: { images: "Images", containers: "Container", volumes: "Volumes", cache: "Build-Cache" },
    useText: (bytes) => `${bytes} insgesamt`,
    counting: "Wird gezählt…",
    useFailed: "Was Platz belegt, konnte nicht gezählt werden",
    objects: (n) => count(n, "Objekt", "Objekte"),
    reclaimable: (bytes, n) => `${bytes} in ${count(n, "unbenutzten Objekt", "unbenutzten Objekten")}`,
    nothingUnused: "alles in Gebrauch",
    useHead: ["Art", "Objekte", "Größe", "Freigebbar"],
    reclaim: "Freigeben",
    reclaimTitle: {
      images: "Unbenutzte Images löschen?",
      containers: "Beendete Container löschen?",
      volumes: "Unbenutzte Volumes löschen?",
      cache: "Den unbenutzten Build-Cache löschen?",
    },
    reclaimText: {
      images: "Kein Container benutzt sie. Sie können wieder gezogen oder gebaut werden.",
      containers: "Was sie außerhalb von Volumes geschrieben haben, geht mit.",
      volumes: "Kein Container benutzt sie. Was darin ist, geht verloren.",
      cache: "Der nächste Build, für den er gemacht wurde, dauert länger.",
    },
    reclaimVerb: (n, bytes) => `${count(n, "Objekt", "Objekte")} löschen, ${bytes}`,
    reclaimWord: "löschen",
    reclaimed: (bytes) => `${bytes} freigegeben`,
    reclaimFailed: "Es konnte nichts freigegeben werden",
    largest: "Größte Objekte",
    tile: (name, kind, bytes) => `${name}: ${kind}, ${bytes}`,
    steps: "Letzter Start",
    danger: "Zurücksetzen",
    erase: "Alles löschen",
    eraseText:
      "Löscht die Platte der Maschine mit allen Containern, Images, Volumes und Netzwerken darauf und beginnt leer. Einstellungen und Ordner dieses Computers bleiben.",
    eraseTitle: "Alles löschen?",
    eraseCounts: (containers, images, volumes) =>
      `${count(containers, "Container", "Container")}, ${count(images, "Image", "Images")} und ${count(volumes, "Volume", "Volumes")} werden gelöscht. Das lässt sich nicht rückgängig machen.`,
    eraseWord: "löschen",
    erased: "Leer neu begonnen",
    eraseFailed: "Die Maschine konnte nicht gelöscht werden",
  },
};
