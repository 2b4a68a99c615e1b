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
/** What passed only the second time. */
const unsteady = [];

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

/** Runs `files` of a project (none: all) and reads what became of them. */
async function runVitest(project, files, file) {
  rmSync(file, { force: true });
  const code = await run("vitest", ["run", "--project", project, "--reporter=default", "--reporter=json", `--outputFile.json=${file}`, ...files], {
    SLIPWAY_TEST_LONG: long ? "1" : "",
    SLIPWAY_TEST_REFERENCE: reference ? "1" : "",
  });
  const report = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : undefined;
  const failed = (report?.testResults ?? []).flatMap(({ name, message, assertionResults }) => {
    const tests = assertionResults.filter(({ status }) => status === "failed");
    if (tests.length === 0) return message ? [{ file: relative(root, name), says: message }] : [];
    return tests.map(({ fullName, failureMessages }) => ({ file: relative(root, name), says: `${fullName}\n${own(failureMessages)}` }));
  });
  return { code, report, failed };
}

/**
 * One project. With `again`, files that failed beside others run once more with nothing beside them: what passes then is
 * no failure of the run, but is named in its end as unsteady, with what it said first.
 */
async function vitest(project, { again = false } = {}) {
  console.log(`\n== ${project} tests`);
  const { code, report, failed } = await runVitest(project, [], join(results, `${project}.json`));
  const tally = report && { passed: report.numPassedTests, failed: report.numFailedTests, skipped: report.numPendingTests + report.numTodoTests };
  if (!again || failed.length === 0) {
    failures.push(...failed.map(({ file, says }) => `${file}: ${says}`));
    return count(`${project} tests`, code, tally);
  }
  console.log(`\n== ${project} tests that failed, once more by themselves`);
  const files = [...new Set(failed.map(({ file }) => file))];
  const second = await runVitest(project, [...files, "--no-file-parallelism"], join(results, `${project}-again.json`));
  failures.push(...second.failed.map(({ file, says }) => `${file}: ${says}`));
  const broken = new Set(second.failed.map(({ file }) => file));
  unsteady.push(...failed.filter(({ file }) => !broken.has(file)).map(({ file, says }) => `${file}: ${says}`));
  const left = second.report?.numFailedTests ?? tally.failed;
  count(`${project} tests`, second.code, { ...tally, passed: tally.passed + tally.failed - left, failed: left });
}

async function playwright() {
  console.log("\n== end-to-end tests");
  const file = join(results, "e2e.json");
  rmSync(file, { force: true });
  const code = await run("playwright", ["test", "--retries=1"], { SLIPWAY_TEST_LONG: long ? "1" : "" });
  const { stats, suites } = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : {};
  const ended = (status) => (suites ?? []).flatMap((suite) => testsOf(suite, status));
  failures.push(...ended("unexpected"));
  unsteady.push(...ended("flaky"));
  count("end-to-end tests", code, stats && { passed: stats.expected + stats.flaky, failed: stats.unexpected, skipped: stats.skipped });
}

/** The tests of a suite of Playwright's report, and of the suites within, that ended with `status`. */
function testsOf(suite, status) {
  const here = (suite.specs ?? []).filter(({ tests }) => tests.some((test) => test.status === status)).map(({ file, title }) => `e2e/${file}: ${title}`);
  return [...here, ...(suite.suites ?? []).flatMap((inner) => testsOf(inner, status))];
}

const levels = {
  types: () => gate("types", "tsc", ["-b"]),
  lint: () => gate("lint", "oxlint", []),
  format: () => gate("format", "biome", ["format", "."]),
  dead: () => gate("dead code", "knip", []),
  unit: () => vitest("unit"),
  renderer: () => vitest("renderer"),
  int: () => vitest("int", { again: true }),
  vm: () => vitest("vm", { again: true }),
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
for (const test of unsteady) console.log(`\nUNSTEADY, passed the second time: ${test}`);
for (const failure of failures) console.log(`\nFAILED ${failure}`);
console.log(
  `\n${totals.passed} passed${unsteady.length === 0 ? "" : ` (${unsteady.length} only the second time)`}, ${totals.failed} failed, ${totals.skipped} skipped`,
);
process.exitCode = totals.failed === 0 && totals.passed > 0 ? 0 : 1;
