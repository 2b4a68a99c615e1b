/** What a program does that tests with Testcontainers for Node; prints what it saw. Run where published ports are: `node testcontainers.program.ts`. */
import { GenericContainer, Network, Wait } from "testcontainers";

const network = await new Network().start();
const hello = (): GenericContainer => new GenericContainer("busybox:latest").withNetwork(network).withStartupTimeout(120_000);
await using database = await hello()
  .withNetworkAliases("db")
  .withCopyContentToContainer([{ content: "first row\n", target: "/data/rows" }])
  .withCommand(["sh", "-c", "echo ready to serve; exec httpd -f -p 8080 -h /data"])
  .withWaitStrategy(Wait.forLogMessage("ready to serve"))
  .start();
await using web = await hello()
  .withCommand(["httpd", "-f", "-p", "80", "-h", "/www"])
  .withEnvironment({ GREETING: "good day" })
  .withExposedPorts(80)
  .withHealthCheck({ test: ["CMD", "wget", "-qO-", "http://db:8080/rows"], interval: 1_000, timeout: 20_000, retries: 60 })
  .withWaitStrategy(Wait.forAll([Wait.forListeningPorts(), Wait.forHealthCheck(), Wait.forHttp("/", 80)]))
  .start();
const page = await fetch(`http://${web.getHost()}:${web.getMappedPort(80)}/`);
const inside = await web.exec(["sh", "-c", 'echo "$GREETING"; wget -qO- http://db:8080/rows; exit 3']);
await web.restart();
const again = await fetch(`http://${web.getHost()}:${web.getMappedPort(80)}/`);
console.log(JSON.stringify({ page: await page.text(), inside: [inside.exitCode, inside.output], again: again.status, name: database.getName() }));
await web.stop();
await database.stop();
await network.stop();
