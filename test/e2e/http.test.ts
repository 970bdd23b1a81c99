import { expect, test } from "bun:test";
import { loadConfig } from "../../src/config.ts";
import { openStore } from "../../src/store/open.ts";
import { OCR_JPEG } from "../support/messages.ts";
import { openSite, type Site } from "./site.ts";

const SERIALS = ["2001008851", "2001008852"];

/** A token, made as an operator would make it. */
async function makeToken(site: Site, role: "viewer" | "operator" | "admin"): Promise<string> {
  const { exitCode, stdout, stderr } = await site.run("token", "create", role, "--role", role);
  if (exitCode !== 0) throw new Error(stderr);
  return stdout.trim();
}

function ask(site: Site, path: string, token: string, init: RequestInit = {}): Promise<Response> {
  return fetch(site.url + path, { ...init, headers: { authorization: `Bearer ${token}`, ...init.headers } });
}

function lectorVision(plate: string, serial: string): object {
  return {
    Plate: plate,
    TimeStamp: "2026/05/04 10:00:00.000",
    SerialNumber: serial,
    ImageOcr: OCR_JPEG.toString("base64"),
  };
}

/** All that comes on a stream of events until it is aborted. */
async function listen(site: Site, token: string, signal: AbortSignal): Promise<string> {
  const response = await ask(site, "/api/v1/events", token, { signal });
  let heard = "";
  try {
    for await (const piece of response.body ?? []) heard += Buffer.from(piece).toString("utf8");
  } catch {
    // Aborted: that is the end of it.
  }
  return heard;
}

test("in a whole run no plate is in metrics, log, live events, or anything that a viewer is answered", async () => {
  await using site = await openSite({ LECTORVISION_PORT: "0", LECTORVISION_HOST: "127.0.0.1" });
  await site.addCameras(...SERIALS, "LV-1");
  const [viewer, operator] = [await makeToken(site, "viewer"), await makeToken(site, "operator")];
  // A third is taken, a third refused for good: some readings stay to be looked at.
  site.mossos.behave({ answer: { kind: "code", code: "7" }, takes: false, probability: 0.34, seed: 7 });
  const service = await site.start();
  const listening = new AbortController();
  const heard = listen(site, viewer, listening.signal);

  await site.send({
    serials: SERIALS,
    total: 120,
    seed: 3,
    shares: { replay: 0.05, malformed: 0.05, unregistered: 0.05, "not-read": 0.05 },
  });
  const plates = [...new Set(site.manifest.map(({ plate }) => plate).filter((plate) => plate.length > 4))];
  const extra = ["7001LVX", "7002LVX", "7003LVX"];
  const bodies = [
    lectorVision("7001LVX", "LV-1"),
    lectorVision("7002LVX", "NOBODY-9"),
    { ...lectorVision("7003LVX", "LV-1"), TimeStamp: "" },
  ];
  const sent = await Promise.all(
    bodies.map((body) => fetch(`${site.url}/ingest/lectorvision`, { method: "POST", body: JSON.stringify(body) })),
  );
  expect(sent.map(({ status }) => status)).toEqual([202, 202, 400]);
  await site.until(({ pending_messages, sending_messages, failed_messages }) => {
    return pending_messages === 0 && sending_messages === 0 && failed_messages === 0;
  });

  const queue = (await (await ask(site, "/api/v1/messages?limit=1000", operator)).json()).messages as {
    messageId: number;
  }[];
  expect(queue.length).toBeGreaterThan(10);
  const held = (await (await ask(site, "/api/v1/quarantine", viewer)).json()).held as { id: number }[];
  expect(held.length).toBeGreaterThan(3);
  const id = queue[0]?.messageId ?? 0;
  const { paths } = await (await fetch(`${site.url}/api/v1/openapi.json`)).json();
  const seen: Record<string, string> = {};
  for (const path of Object.keys(paths)) {
    if (paths[path].get === undefined || path === "/api/v1/events") continue;
    const real = path
      .replace("{id}", String(path.includes("quarantine") ? held[0]?.id : id))
      .replace("{kind}", "ocr")
      .replace("{serial}", SERIALS[0] ?? "");
    for (const query of ["", "?plates=true"]) seen[real + query] = await (await ask(site, real + query, viewer)).text();
  }
  expect(Object.keys(seen).length).toBeGreaterThan(30);
  expect(seen["/metrics"]).toContain("tattile_balance_difference 0");
  expect(JSON.parse(seen["/api/v1/status"] ?? "").balance).toMatchObject({ difference: 0, dead: queue.length });
  expect(JSON.parse(seen["/api/v1/messages"] ?? "").messages.length).toBeGreaterThan(10);
  // The search would find one: an operator is shown them where he asks.
  const shown = await (await ask(site, "/api/v1/messages?limit=1000&plates=true", operator)).text();
  expect(plates.filter((plate) => shown.includes(plate)).length).toBeGreaterThan(10);
  listening.abort();
  seen["live events"] = await heard;
  expect(seen["live events"]).toContain('"delivered":');
  expect((await service.stop()).exitCode).toBe(0);
  seen["log"] = site.log();

  expect(plates.length).toBeGreaterThan(80);
  const found = Object.entries(seen).flatMap(([where, text]) =>
    [...plates, ...extra].filter((plate) => text.includes(plate)).map((plate) => `${plate} in ${where}`),
  );
  expect(found).toEqual([]);
}, 120_000);

test("the API in a process of its own takes readings in, and the sender's process delivers them", async () => {
  await using site = await openSite();
  await site.addCameras("LV-1");
  const viewer = await makeToken(site, "viewer");
  const [sender, api] = [await site.start("sender"), await site.start("api")];
  const listening = new AbortController();
  const heard = listen(site, viewer, listening.signal);
  const items = Array.from({ length: 50 }, (_, n) => lectorVision(`${String(n).padStart(4, "0")}LVX`, "LV-1"));
  const answer = await fetch(`${site.url}/ingest/lectorvision`, { method: "POST", body: JSON.stringify(items) });
  expect([answer.status, (await answer.json()).results]).toEqual([202, { queued: 50 }]);
  await site.until(({ total_readings }) => total_readings === 0);
  expect(site.mossos.records.accepted()).toHaveLength(50);
  listening.abort();
  expect(await heard).toContain('"delivered":');
  const status = await (await ask(site, "/api/v1/status", viewer)).json();
  expect(status.balance).toMatchObject({ received: 50, delivered: 50, waiting: 0, difference: 0 });
  expect(status.services.map(({ task }: { task: string }) => task)).toEqual(["api", "sender"]);
  expect((await api.stop()).exitCode).toBe(0);
  expect((await sender.stop()).exitCode).toBe(0);
}, 60_000);

test("what was answered 202 survives a kill at any moment", async () => {
  await using site = await openSite({ SENDER_ENABLED: "false" });
  await site.addCameras("LV-1");
  const accepted: string[] = [];
  let number = 0;
  for (let round = 0; round < 4; round++) {
    const service = await site.start();
    let alive = true;
    const sending = Array.from({ length: 4 }, async () => {
      while (alive) {
        const plate = `${String(number++).padStart(4, "0")}LVX`;
        const body = JSON.stringify(lectorVision(plate, "LV-1"));
        const answer = await fetch(`${site.url}/ingest/lectorvision`, { method: "POST", body }).catch(() => null);
        if (answer?.status === 202) accepted.push(plate);
      }
    });
    await Bun.sleep(300 + round * 90);
    await service.kill();
    alive = false;
    await Promise.all(sending);
  }
  expect(accepted.length).toBeGreaterThan(50);
  const { config } = loadConfig({ env: {}, envFile: `${site.folder}/tattile.env` });
  const store = await openStore(config);
  const queued = new Set((await store.listMessages({}, 1_000_000)).map(({ plate }) => plate));
  const balance = await store.balance();
  await store.close();
  expect(accepted.filter((plate) => !queued.has(plate))).toEqual([]);
  expect(balance).toMatchObject({ received: queued.size, difference: 0 });
}, 60_000);
