// Before `npm run check`: the npm packages, should they be missing or older than the lock file.
// Dependency-free on purpose: it runs under whatever Node a fresh machine has, before node_modules exists.
import { preparePackages, SetupError } from "./setup.mjs";

try {
  await preparePackages(console.error);
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  console.error(`\n${error.message}`);
  process.exitCode = 1;
}
