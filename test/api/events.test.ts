import { expect, test } from "bun:test";
import type { Access } from "../../src/api/access.ts";
import { createEvents } from "../../src/api/events.ts";
import { type Clock, systemClock } from "../../src/clock.ts";
import type { Store } from "../../src/store/store.ts";
import type { ApiToken } from "../../src/store/tokens.ts";
import { type ApiUnderTest, collectingLog, openApi } from "../support/api-fixture.ts";
import { messageOf, takeIn } from "../support/queued-readings.ts";
import { addCameras, DELIVERED, SqliteUnderTest, settleAll } from "../support/store-fixture.ts";

interface Event {
  event: string;
  // biome-ignore lint/suspicious/noExplicitAny: a test looks into it as it likes
  data: any;
}

/** Listens until `enough` says so, which is asked after each event. @returns what came */
async function listen(
  api: ApiUnderTest,
  enough: (events: readonly Event[]) => boolean | Promise<boolean>,
): Promise<readonly Event[]> {
  const stop = new AbortController();
  const response = await fetch(`${api.url}/api/v1/events`, {
    headers: { authorization: `Bearer ${api.tokens.viewer}` },
    signal: stop.signal,
  });
  expect(response.headers.get("content-type")).toStartWith("text/event-stream");
  const events: Event[] = [];
  let text = "";
  let isEnough = false;
  const decoder = new TextDecoder();
  for await (const piece of response.body ?? []) {
    text += decoder.decode(piece, { stream: true });
    for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
      const match = /^event: (.*)\ndata: (.*)$/.exec(text.slice(0, end));
      text = text.slice(end + 2);
      if (match === null) continue;
      events.push({ event: match[1] ?? "", data: JSON.parse(match[2] ?? "") });
      isEnough ||= await enough(events);
    }
    if (isEnough) break;
  }
  stop.abort();
  return events;
}

test("readings are seen to come and to go, whatever process takes them in, and no plate with them", async () => {
  await using api = await openApi({}, { prepare: async (store) => void (await addCameras(store, "A1")) });
  const events = await listen(api, async (heard) => {
    const { event, data } = heard.at(-1) ?? { event: "", data: {} };
    if (heard.length === 1) {
      await takeIn(api.config.dataDir, [messageOf("A1", "1111AAA", 1), messageOf("A1", "2222BBB", 2)]);
    }
    if (event === "activity" && data.cameras[0].queued === 2) await settleAll(api.store, DELIVERED, new Date());
    return event === "activity" && data.cameras[0].delivered === 2;
  });
  expect(events[0]).toMatchObject({ event: "counts", data: { balance: { received: 0, difference: 0 } } });
  const activity = events.filter(({ event }) => event === "activity").flatMap(({ data }) => data.cameras);
  expect(activity).toEqual([
    { serial: "A1", queued: 2 },
    { serial: "A1", delivered: 2 },
  ]);
  expect(events.findLast(({ event }) => event === "counts")?.data.balance).toMatchObject({ received: 2 });
  expect(JSON.stringify(events)).not.toMatch(/1111AAA|2222BBB/);
});

test("nobody listens without a token, and a stop ends every stream", async () => {
  const api = await openApi();
  expect((await fetch(`${api.url}/api/v1/events`)).status).toBe(401);
  const headers = { authorization: `Bearer ${api.tokens.viewer}` };
  const head = await fetch(`${api.url}/api/v1/events`, { method: "HEAD", headers });
  expect([head.status, head.headers.get("content-type")]).toEqual([200, "text/event-stream; charset=utf-8"]);
  let stopped = Promise.resolve();
  const events = await listen(api, () => {
    stopped = Promise.resolve(api[Symbol.asyncDispose]());
    return false;
  });
  await stopped;
  expect(events.map(({ event }) => event)).toEqual(["counts"]);
});

test("a stream ends when its token was revoked, and not before", async () => {
  // A hundred times as fast, but for waiting.
  const clock = { ...systemClock, monotonicMs: () => systemClock.monotonicMs() * 100 };
  await using api = await openApi({}, { clock });
  const [viewer] = (await api.store.listTokens()).filter(({ role }) => role === "viewer");
  const response = await fetch(`${api.url}/api/v1/events`, {
    headers: { authorization: `Bearer ${api.tokens.viewer}` },
  });
  let beats = 0;
  const decoder = new TextDecoder();
  for await (const piece of response.body ?? []) {
    beats += decoder.decode(piece, { stream: true }).split(": alive").length - 1;
    if (beats === 2) await api.store.removeToken(viewer?.id ?? 0);
  }
  expect(beats).toBeGreaterThanOrEqual(2);
});

/** The route alone, with a store of its own; the caller says when time goes by and who is welcome. */
function eventsOf(store: Store, access: Pick<Access, "identify">, clock: Clock) {
  const logged: string[] = [];
  const log = collectingLog(logged);
  const events = createEvents({ store, clock, log, access });
  const open = async (): Promise<Response> => {
    const request = new Request("http://127.0.0.1/api/v1/events");
    return (await events.route.handle({ request, peer: "127.0.0.1" } as never)) as Response;
  };
  return { events, open, logged };
}

test("whoever leaves while it is asked whether his token still holds takes nobody with him", async () => {
  await using under = await SqliteUnderTest.open();
  const clock = { ...systemClock, monotonicMs: () => systemClock.monotonicMs() * 100 };
  const asked = Promise.withResolvers<void>();
  let leaveFirst: (() => Promise<void>) | null = null;
  const identify: Access["identify"] = async () => {
    const leave = leaveFirst;
    leaveFirst = null;
    await leave?.();
    if (leave !== null) asked.resolve();
    return { token: {} as ApiToken, via: "token", endsAt: null };
  };
  const { events, open } = eventsOf(under.store, { identify }, clock);
  const first = (await open()).body?.getReader();
  const second = (await open()).body;
  leaveFirst = async () => void (await first?.cancel());
  await asked.promise;
  let heard = "";
  for await (const piece of second ?? []) {
    heard += new TextDecoder().decode(piece);
    if (heard.includes(": alive")) break;
  }
  expect(heard).toContain(": alive");
  await events.close();
});

test("of many who come at once only as many listen as there are places, and who leaves frees his", async () => {
  await using under = await SqliteUnderTest.open();
  const identify: Access["identify"] = async () => ({ token: {} as ApiToken, via: "token", endsAt: null });
  const { events, open } = eventsOf(under.store, { identify }, systemClock);
  const came = await Promise.allSettled(Array.from({ length: 70 }, open));
  const inside = came.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  expect(inside).toHaveLength(64);
  await inside[0]?.body?.cancel();
  const next = await open();
  await expect(open()).rejects.toThrow("64 listen already");
  expect(next.status).toBe(200);
  await events.close();
  // After a stop nobody is kept waiting.
  expect(await (await open()).text()).not.toContain("event: activity");
});

test("who does not take 64 events is let go, and those beside him go on", async () => {
  await using under = await SqliteUnderTest.open();
  let received = 0;
  // Something new at every look, and one look after the other.
  const store: Store = {
    ...under.store,
    balance: async () => {
      received += 1;
      return { ...(await under.store.balance()), received };
    },
  };
  const clock: Clock = { ...systemClock, sleep: () => systemClock.sleep(0) };
  const identify: Access["identify"] = async () => ({ token: {} as ApiToken, via: "token", endsAt: null });
  const { events, open } = eventsOf(store, { identify }, clock);
  const idle = await open();
  const eventsIn = (text: string): number => text.split("event: counts").length - 1;
  let taken = 0;
  for await (const piece of (await open()).body ?? []) {
    taken += eventsIn(new TextDecoder().decode(piece));
    if (taken >= 200) break;
  }
  await events.close();
  expect(taken).toBeGreaterThanOrEqual(200);
  expect(eventsIn(await idle.text())).toBe(64);
});
