// `npm test`: sets the machine up, then runs every kind of test once and ends in one line of counts.
// Dependency-free on purpose: it runs under whatever Node a fresh machine has, before node_modules exists.
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { ensureClients, testPackages } from "../../e2e/fixtures/clients.mjs";
import { prepareForTests, SetupError } from "./setup.mjs";

const root = resolve(import.meta.dirname ?? new URL(".", import.meta.url).pathname, "..", "..");
const results = join(root, "test-results");
const long = process.argv.includes("--long");
const reference = process.argv.includes("--reference");
const only = process.argv.filter((a) => a.startsWith("--only=")).map((a) => a.slice("--only=".length));
const totals = { passed: 0, failed: 0, skipped: 0 };
const failures = [];

/** Runs one command with this repository's Node 24 first on PATH; resolves to its exit code. */
function run(command, args, env = {}) {
  return new Promise((done) => {
    const child = spawn(command, args, {
      cwd: root,
      stdio: ["ignore", "inherit", "inherit"],
      env: { ...process.env, PATH: `${join(root, "node_modules", ".bin")}:${process.env.PATH}`, ...env },
    });
    child.on("error", (error) => {
      console.error(`${command}: ${error.message}`);
      done(127);
    });
    child.on("close", (code, signal) => done(signal ? 1 : (code ?? 1)));
  });
}

function count(name, code, tally) {
  if (tally) for (const key of Object.keys(totals)) totals[key] += tally[key];
  const broken = code !== 0 && !(tally && tally.failed > 0);
  if (broken) {
    totals.failed += 1;
    failures.push(name);
  }
  if (!tally && code === 0) totals.passed += 1;
  console.log(
    `-- ${name}: ${tally ? `${tally.passed} passed, ${tally.failed} failed, ${tally.skipped} skipped${broken ? `, and the run itself failed (exit ${code})` : ""}` : code === 0 ? "passed" : `failed (exit ${code})`}`,
  );
}

/** A gate that is either right or wrong as a whole: types, lint, format, dead code. */
async function gate(name, command, args) {
  console.log(`\n== ${name}`);
  count(name, await run(command, args));
}

/** What a failed test said, without the test runner's own part of the stack. */
const own = (messages) =>
  messages
    .flatMap((message) => message.split("\n"))
    .filter((line) => !/^ +at .*(node_modules|new Promise)/.test(line))
    .join("\n");

async function vitest(project) {
  console.log(`\n== ${project} tests`);
  const file = join(results, `${project}.json`);
  rmSync(file, { force: true });
  const code = await run("vitest", ["run", "--project", project, "--reporter=default", "--reporter=json", `--outputFile.json=${file}`], {
    SLIPWAY_TEST_LONG: long ? "1" : "",
    SLIPWAY_TEST_REFERENCE: reference ? "1" : "",
  });
  const report = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : undefined;
  for (const { name, message, assertionResults } of report?.testResults ?? []) {
    const failed = assertionResults.filter(({ status }) => status === "failed");
    if (failed.length === 0 && message) failures.push(`${relative(root, name)}: ${message}`);
    for (const { fullName, failureMessages } of failed) failures.push(`${relative(root, name)}: ${fullName}\n${own(failureMessages)}`);
  }
  count(
    `${project} tests`,
    code,
    report && { passed: report.numPassedTests, failed: report.numFailedTests, skipped: report.numPendingTests + report.numTodoTests },
  );
}

async function playwright() {
  console.log("\n== end-to-end tests");
  const file = join(results, "e2e.json");
  rmSync(file, { force: true });
  const code = await run("playwright", ["test"], { SLIPWAY_TEST_LONG: long ? "1" : "" });
  const { stats, suites } = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : {};
  failures.push(...(suites ?? []).flatMap(unexpected));
  count("end-to-end tests", code, stats && { passed: stats.expected + stats.flaky, failed: stats.unexpected, skipped: stats.skipped });
}

/** What did not end as expected in a suite of Playwright's report, and in the suites within. */
function unexpected(suite) {
  const here = (suite.specs ?? []).filter(({ ok }) => !ok).map(({ file, title }) => `e2e/${file}: ${title}`);
  return [...here, ...(suite.suites ?? []).flatMap(unexpected)];
}

const levels = {
  types: () => gate("types", "tsc", ["-b"]),
  lint: () => gate("lint", "oxlint", []),
  format: () => gate("format", "biome", ["format", "."]),
  dead: () => gate("dead code", "knip", []),
  unit: () => vitest("unit"),
  renderer: () => vitest("renderer"),
  int: () => vitest("int"),
  vm: () => vitest("vm"),
  e2e: playwright,
};

mkdirSync(results, { recursive: true });
try {
  await prepareForTests({ packages: testPackages });
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  console.error(`\n${error.message}`);
  process.exit(1);
}
ensureClients();
for (const [name, level] of Object.entries(levels)) if (only.length === 0 || only.includes(name)) await level();
// The names come last, so that whoever sees only the end of the output knows what to look at.
for (const failure of failures) console.log(`\nFAILED ${failure}`);
console.log(`\n${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`);
process.exitCode = totals.failed === 0 && totals.passed > 0 ? 0 : 1;
