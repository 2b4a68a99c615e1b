import { expect, test } from "vitest";
import { connectBridge } from "./connect.ts";
import { domPort, portTransport } from "./messageport.ts";
import { type HostApi, serveBridge } from "./serve.ts";

/** As much of a window as connecting touches; requests are answered by `answer`. */
function page(hash: string, stored: Record<string, string>, answer: (body: string) => Response) {
  const asked: string[] = [];
  const location = { hash, pathname: "/", search: "", host: "127.0.0.1:1" };
  const fake = {
    location,
    history: { replaceState: (_state: unknown, _title: string, url: string) => (location.hash = url.includes("#") ? url : "") },
    sessionStorage: { getItem: (name: string) => stored[name] ?? null, setItem: (name: string, value: string) => (stored[name] = value) },
    fetch: async (_url: string, { body }: { body: string }) => {
      asked.push(body);
      return answer(body);
    },
  };
  return { window: fake as unknown as Window, asked, location, stored };
}

test("the token of the address becomes the tab's key, and leaves the address before it is spent", async () => {
  let hashWhenAsked = "unset";
  const at = page("#token=T1", {}, () => {
    hashWhenAsked = at.location.hash;
    return Response.json({ key: "K1" });
  });
  using _bridge = await connectBridge(at.window);
  expect(at.asked).toEqual(['{"token":"T1"}']);
  expect(hashWhenAsked).toBe("");
  expect(at.stored).toEqual({ "slipway.key": "K1" });
});

test("a reload uses the kept key and asks for nothing", async () => {
  const at = page("#/containers", { "slipway.key": "K1" }, () => new Response("", { status: 500 }));
  using _bridge = await connectBridge(at.window);
  expect(at.asked).toEqual([]);
  expect(at.location.hash).toBe("#/containers");
});

test("a used token is no harm to a tab that has its key, and the server's own words to one that has none", async () => {
  const refuse = (): Response => new Response("this address was used already", { status: 403 });
  using _bridge = await connectBridge(page("#token=T1", { "slipway.key": "K1" }, refuse).window);
  await expect(connectBridge(page("#token=T1", {}, refuse).window)).rejects.toMatchObject({ class: "unauthorized", message: "this address was used already" });
});

test("a page without token and key says how to get one", async () => {
  await expect(connectBridge(page("", {}, () => new Response()).window)).rejects.toMatchObject({ class: "unauthorized" });
});

test("in Electron the port asked for by id is the one taken, and no other message is", async () => {
  const target = new EventTarget();
  const post = (data: unknown, ports: MessagePort[], source: unknown): void =>
    void target.dispatchEvent(Object.assign(new Event("message"), { data, ports, source }));
  const window = Object.assign(target, {
    slipway: {
      getPort(id: string) {
        const decoy = new MessageChannel();
        post({ slipwayPort: id }, [decoy.port1], {});
        post({ slipwayPort: "another" }, [decoy.port1], window);
        post(null, [], window);
        decoy.port1.close();
        const { port1, port2 } = new MessageChannel();
        serveBridge(portTransport(domPort(port2)), {
          calls: { "settings.get": async () => ({ theme: "dark" }) } as Partial<Record<keyof HostApi, unknown>> as HostApi,
          stream: async () => undefined,
          onEvent: () => ({ [Symbol.dispose]: () => undefined }),
        });
        post({ slipwayPort: id }, [port1], window);
      },
    },
  });
  using bridge = await connectBridge(window as unknown as Window);
  expect(await bridge.call("settings.get")).toEqual({ theme: "dark" });
});
