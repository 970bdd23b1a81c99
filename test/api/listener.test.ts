import { expect, test } from "bun:test";
import { connect } from "node:net";
import { createListener } from "../../src/api/listener.ts";
import { systemClock } from "../../src/clock.ts";
import { collectingLog, openApi } from "../support/api-fixture.ts";

/** What a server answers to a request as it is written here, until it closes. */
function sendRaw(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answered = "";
    const socket = connect(port, "127.0.0.1", () => socket.write(text));
    socket.on("data", (piece) => {
      answered += piece.toString("latin1");
    });
    socket.on("error", reject);
    socket.on("close", () => resolve(answered));
  });
}

const REQUEST = "GET / HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n";

test.each(["[", "[::1", "a b", "a:b:c", "%", "x:99999", "<script>"])(
  "a Host that is none (%s) is refused in our words on every port, and the log stays empty",
  async (host) => {
    await using api = await openApi({ LECTORVISION_PORT: "0" });
    api.logged.splice(0);
    const ports = [Number(new URL(api.url).port), api.lectorVisionPort ?? 0];
    for (const port of ports) {
      for (const path of ["/health", "/", "/api/v1/messages?after=1"]) {
        const answered = await sendRaw(port, `GET ${path} HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`);
        expect(answered).toStartWith("HTTP/1.1 400 ");
        expect(answered.toLowerCase()).toContain("\r\nx-content-type-options: nosniff\r\n");
        expect(answered).toEndWith('{"code":"invalid","error":"the Host header or the address cannot be understood"}');
      }
    }
    expect(api.logged).toEqual([]);
  },
);

test("what goes wrong beside all that is foreseen is in the log, and no page shows it", async () => {
  const logged: string[] = [];
  const place = { host: "127.0.0.1", port: 0, tls: null, what: "HTTP", names: ["API_HOST", "API_PORT"] } as const;
  const broken = () => Promise.reject(new Error("the secret of the house"));
  const listener = createListener(place, broken, { clock: systemClock, log: collectingLog(logged) });
  const response = await fetch(`http://127.0.0.1:${await listener.open()}/`);
  expect([response.status, await response.json()]).toEqual([
    500,
    { code: "internal", error: "something unexpected went wrong" },
  ]);
  expect(response.headers.get("x-frame-options")).toBe("DENY");
  expect(logged.join("\n")).toContain("the secret of the house");
  await listener.close(0);
});

test("an answer that takes long is waited for where it says so, on a connection that is closed for its silence else", async () => {
  const place = { host: "127.0.0.1", port: 0, tls: null, what: "HTTP", names: ["API_HOST", "API_PORT"] } as const;
  const closed = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  const listener = createListener(
    place,
    async ({ url, wait }) => {
      if (url.pathname === "/patient") wait(60);
      begun.resolve();
      await closed.promise;
      return new Response("done");
    },
    { clock: systemClock, log: collectingLog([]), idleSeconds: 1 },
  );
  const port = await listener.open();
  const patient = fetch(`http://127.0.0.1:${port}/patient`).then((response) => response.text());
  await begun.promise;
  // Begun later: whenever this one is closed for its silence, the other would have been.
  await expect(fetch(`http://127.0.0.1:${port}/hasty`)).rejects.toThrow("closed");
  closed.resolve();
  expect(await patient).toBe("done");
  await listener.close(0);
});

test("256 requests are answered at once, and who comes beyond them is told to come again", async () => {
  const place = { host: "127.0.0.1", port: 0, tls: null, what: "HTTP", names: ["API_HOST", "API_PORT"] } as const;
  const all = Promise.withResolvers<void>();
  const end = Promise.withResolvers<void>();
  let begun = 0;
  const answer = async (): Promise<Response> => {
    begun += 1;
    if (begun === 256) all.resolve();
    await end.promise;
    return new Response("done");
  };
  const listener = createListener(place, answer, { clock: systemClock, log: collectingLog([]) });
  const url = `http://127.0.0.1:${await listener.open()}/`;
  const asked = Array.from({ length: 256 }, () => sendRaw(Number(new URL(url).port), REQUEST));
  await all.promise;
  const refused = await fetch(url);
  expect([refused.status, refused.headers.get("retry-after"), await refused.json()]).toEqual([
    503,
    "1",
    { code: "unavailable", error: "too many requests at once" },
  ]);
  end.resolve();
  for (const one of await Promise.all(asked)) expect(one).toStartWith("HTTP/1.1 200 ");
  expect((await fetch(url)).status).toBe(200);
  expect(begun).toBe(257);
  await listener.close(0);
});
