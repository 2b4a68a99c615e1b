import { expect, test } from "vitest";
import { composeFilesOf, problemAt, syntaxProblems } from "./composefile.ts";

const text = `services:
  db:
    image: postgres
    volumes: ["data:/data"]
  web:
    imagee: nginx
    depends_on: [db, nope]
    ports:
      - "80:80"
      - "abc:81"
    networks: [inner]
`;

test("what is no YAML is told with its line", () => {
  expect(syntaxProblems("services:\n  web:\n    image: [x\n  b: 1\n")[0]).toMatchObject({ line: expect.any(Number) });
  expect(syntaxProblems(text)).toEqual([]);
});

test.each([
  ["validating -: services.web Additional property imagee is not allowed", 6],
  ["validating /srv/compose.yaml: services.db.image must be a string", 3],
  ["services.web.ports.1 is not a port", 10],
  ['service "web" depends on undefined service "nope": invalid compose project', 7],
  ['service "web" refers to undefined network inner: invalid compose project', 11],
  ['service "db" refers to undefined volume data: invalid compose project', 4],
  ["yaml: line 9: found a tab", 9],
  ["something else entirely", undefined],
])("%s: line %s", (words, line) => {
  const problem = problemAt(text, words);
  expect(problem.line).toBe(line);
  expect(problem.message).not.toContain("invalid compose project");
});

test("a folder's compose files are those that docker compose would take", () => {
  expect(composeFilesOf(["docker-compose.yml", "compose.yaml", "compose.override.yaml", "a"])).toEqual(["compose.yaml", "compose.override.yaml"]);
  expect(composeFilesOf(["docker-compose.yml"])).toEqual(["docker-compose.yml"]);
  expect(composeFilesOf(["compose.override.yml"])).toEqual([]);
});
