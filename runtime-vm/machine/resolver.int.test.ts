import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";

/** Two name servers, the office's known only while its VPN is up; what is answered before, with it, and after. */
const script = (resolvConf: string): string => `
  import { createSocket } from "node:dgram";
  import { once } from "node:events";
  import { writeFileSync } from "node:fs";
  import dns from "dns-packet";
  import { resolveForGuest } from ${JSON.stringify(join(import.meta.dirname, "resolver.ts"))};
  const serve = async (address, known) => {
    const socket = createSocket("udp4", (message, from) => {
      const query = dns.decode(message);
      const [{ type, name }] = query.questions;
      const data = name === known ? { A: "192.0.2.7", TXT: "inside" }[type] : undefined;
      const flags = data === undefined && name !== known ? 3 : 0;
      socket.send(dns.encode({ ...query, type: "response", flags, answers: data === undefined ? [] : [{ type, name, data }] }), from.port, from.address);
    });
    socket.bind(53, address);
    await once(socket, "listening");
    return socket;
  };
  const servers = [await serve("127.0.0.5", "public.test"), await serve("127.0.0.6", "office.test")];
  const ask = async () => (await Promise.all(["A", "TXT"].map((type) => resolveForGuest("office.test.", type)))).map(({ code, answers }) => [code, ...answers.flatMap(({ data }) => data.toString())]);
  const told = [await ask()];
  for (const server of ["127.0.0.6", "127.0.0.5"]) {
    writeFileSync(${JSON.stringify(resolvConf)}, "nameserver " + server + "\\n");
    told.push(await ask());
  }
  console.log(JSON.stringify(told));
  for (const server of servers) server.close();
`;

test("a name that only the name servers of a VPN know is answered while the VPN is up, of every type", () => {
  const directory = mkdtempSync(join(tmpdir(), "slipway-resolver-"));
  try {
    const resolvConf = join(directory, "resolv.conf");
    writeFileSync(resolvConf, "nameserver 127.0.0.5\n");
    const around = 'ip link set lo up && mount --bind "$0" /etc/resolv.conf && exec "$@"';
    const node = [process.execPath, "--disable-warning=ExperimentalWarning", "--input-type=module", "-e", script(resolvConf)];
    const said = execFileSync("unshare", ["-mn", "sh", "-c", around, resolvConf, ...node], { cwd: import.meta.dirname, encoding: "utf8", timeout: 60_000 });
    const unknown = [["NXDOMAIN"], ["NXDOMAIN"]];
    const known = [
      ["NOERROR", "192.0.2.7"],
      ["NOERROR", "inside"],
    ];
    expect(JSON.parse(said)).toEqual([unknown, known, unknown]);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
