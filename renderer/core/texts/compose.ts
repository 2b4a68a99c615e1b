import { count } from "#renderer/core/format.ts";

/** Texts about Compose projects. */
export const composeTexts = {
  compose: {
    title: "Compose",
    search: "Search projects",
    count: (n: number) => count(n, "project"),
    columns: { name: "Project", state: "State", services: "Services", folder: "Folder", actions: "Actions" },
    state: (running: number, all: number) => `running (${running}/${all})`,
    emptyTitle: "No Compose projects",
    emptyText: "A project is the containers that a compose file brings up together. It is listed here once one of them is there.",
    emptyCommand: "docker compose up -d",
    listFailed: "Could not list the projects",
    gone: (name: string) => `The project “${name}” has no containers`,
    services: "Services",
    serviceColumns: { service: "Service", state: "State", containers: "Containers and their logs", image: "Image", after: "Starts after", actions: "Actions" },
    startService: (name: string) => `Start ${name}`,
    stopService: (name: string) => `Stop ${name}`,
    restartService: (name: string) => `Restart ${name}`,
    folder: "Folder",
    files: "Compose files",
    networks: "Networks",
    status: "State",
    bringUp: "Bring up what has changed",
    down: "Down…",
    downTitle: (n: number, name: string) => (n === 1 ? `Take “${name}” down?` : `Take ${n} projects down?`),
    downText: (containers: number, networks: number) =>
      `Stops and deletes ${count(containers, "container")}${networks === 0 ? "" : ` and ${count(networks, "network")}`}. What was written in the containers is lost. Volumes stay, and a compose file brings its project up again.`,
    downVerb: (n: number, name: string) => (n === 1 ? `Take down ${name}` : `Take down ${count(n, "project")}`),
    downDone: (name: string) => `Took down ${name}`,
    networkFailed: (name: string) => `Could not delete network “${name}”`,
  },
} as const;
