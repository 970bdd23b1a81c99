import { expect, test } from "bun:test";
import { systemClock } from "../../src/clock.ts";
import { type ApiUnderTest, openApi } from "../support/api-fixture.ts";
import { messageOf, takeIn } from "../support/queued-readings.ts";
import { addCameras, DELIVERED, settleAll } from "../support/store-fixture.ts";

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
