import { count } from "#renderer/core/format.ts";
import type { machineTexts as english } from "#renderer/core/texts/machine.ts";
import type { Translated } from "#renderer/core/texts/translated.ts";

export const machineTexts: Translated<typeof english> = {
  engine: {
    running: "Engine läuft",
    starting: "Engine startet",
    stopping: "Engine wird angehalten",
    stopped: "Engine angehalten",
    failed: "Engine ausgefallen",
    lost: "Verbindung verloren",
    connecting: "Verbindung wird aufgebaut",
    cpu: "CPU",
    memory: "Speicher",
    disk: "Platte",
    diskTip: "Was Images, Container und Volumes von der Platte dieses Computers belegen",
    start: "Engine starten",
    restart: "Engine neu starten",
    stop: "Engine anhalten",
    connect: "Mit der Engine verbinden",
    reconnect: "Neu verbinden",
    disconnect: "Von der Engine trennen",
    unread: "Die Liste erscheint, sobald die Engine antwortet.",
    stale: "Die Listen zeigen den letzten bekannten Stand.",
    logTail: "Letzte Log-Zeilen",
    repair: "Reparieren",
    repairing: "Wird repariert…",
    repairTip:
      "Erneuert, was Slipway neben den Daten braucht: den Prozess der Maschine, den Docker-Socket und den Docker-Kontext. Container, Images und Volumes bleiben.",
    repaired: (done) => (done.length === 0 ? "Es war nichts zu reparieren" : `Repariert: ${done.join(", ")}`),
    repairs: { machine: "die Maschine wurde frisch gestartet", socket: "der Docker-Socket", context: "der Docker-Kontext" },
    failedTo: {
      repair: "Die Engine konnte nicht repariert werden",
      start: "Die Engine konnte nicht gestartet werden",
      restart: "Die Engine konnte nicht neu gestartet werden",
      stop: "Die Engine konnte nicht angehalten werden",
    },
    restarts: (n) => `Nach einem Absturz ${count(n, "Mal", "Mal")} neu gestartet`,
    drivers: { qemu: "QEMU", wsl2: "WSL 2", native: "dieser Computer", remote: "externe Engine" },
    accelerators: { kvm: "KVM", hvf: "HVF", whpx: "WHPX", tcg: "Software-Emulation" },
  },

  boot: {
    title: "Slipway startet",
    first: "Slipway führt Container in einer eigenen kleinen Linux-Maschine aus. Der erste Start dauert am längsten.",
    failedTitle: "Die Engine ist nicht gestartet",
    connecting: "Verbindung zum Host",
    noKey: "Dieses Fenster erreicht Slipway nicht",
    noKeyAdvice: "Slipway noch einmal starten oder die ausgegebene Adresse öffnen.",
    continue: "Das Fenster trotzdem öffnen",
    noLog: "Noch keine Log-Zeilen",
    states: { waiting: "wartet", running: "läuft", done: "fertig", failed: "fehlgeschlagen", skipped: "übersprungen" },
  },

  disk: {
    machine: (percent, free) => `Die Platte der Maschine ist zu ${percent} % voll: ${free} sind frei`,
    computer: (free) => `Die Platte dieses Computers ist fast voll: ${free} sind für Container frei`,
    counting: "Was den Platz belegt, wird gezählt…",
    takers: (named, reclaimable) => `Am größten: ${named.join(", ")}. ${reclaimable} sind unbenutzt.`,
    notOurs: "Nichts davon belegen Images, Container oder Volumes.",
    kinds: { images: "Image", containers: "Container", volumes: "Volume", cache: "Build-Cache" },
    makeRoom: "Platz schaffen",
    away: "Nicht jetzt",
  },

  context: {
    title: "Slipway für den docker-Befehl verwenden?",
    text: "docker, Compose und IDEs benutzen dann diese Engine. Der bisherige Kontext lässt sich jederzeit zurückholen.",
    use: "Slipway verwenden",
    notNow: "Nicht jetzt",
    hidden: (name) => `${name} ist gesetzt und verdeckt Docker-Kontexte. Ohne die Variable benutzt diese Shell Slipway.`,
    failed: "Der Docker-Kontext konnte nicht gewechselt werden",
    current: (name) => `Aktueller Kontext: ${name}`,
  },

  diagnostics: {
    title: "Diagnose",
    open: "Diagnose…",
    running: "Wird geprüft…",
    again: "Noch einmal prüfen",
    failed: "Die Prüfungen konnten nicht ausgeführt werden",
    results: { pass: "in Ordnung", warn: "Warnung", fail: "Fehler" },
  },
};
