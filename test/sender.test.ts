import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { DeliveryOutcome } from "../src/delivery.ts";
import { AppError } from "../src/errors.ts";
import { type DeliveryBench, openDeliveryBench, type Posted, SENDER } from "./support/delivery-bench.ts";
import { turns } from "./support/fake-clock.ts";
import { claimRequest } from "./support/store-fixture.ts";

const accepted: DeliveryOutcome = { kind: "accepted", returnCode: "1" };
const MINUTE_MS = 60_000;

async function waiting(bench: DeliveryBench): Promise<number> {
  return (await bench.store.summarize()).readings;
}

/** Moves the clock until nothing waits. */
async function drain(bench: DeliveryBench, limitMs = 10 * MINUTE_MS): Promise<void> {
  for (let ms = 0; ms < limitMs && (await waiting(bench)) > 0; ms += 1000) await bench.clock.advance(1000);
}

describe("a delivered reading", () => {
  test("is erased with its pictures, and the camera's last sending is noted", async () => {
    await using bench = await openDeliveryBench();
    await bench.queue("1234BCD");
    await drain(bench);
    expect(bench.posted.map(({ plate }) => plate)).toEqual(["1234BCD"]);
    expect(await waiting(bench)).toBe(0);
    const pictures = (): string[] =>
      readdirSync(join(bench.folder, "images"), { recursive: true, encoding: "utf8" }).filter((name) =>
        name.endsWith(".jpg"),
      );
    await turns(() => pictures().length > 0);
    expect(pictures()).toEqual([]);
    expect((await bench.store.findCamera("CAM1"))?.lastSentAt).toEqual(bench.posted[0]?.at ?? null);
  });

  test("is gone from the store before its pictures go", async () => {
    await using bench = await openDeliveryBench();
    const { erase } = bench.images;
    const rowsAtErase: number[] = [];
    bench.images.erase = async (paths) => {
      rowsAtErase.push(await waiting(bench));
      return erase(paths);
    };
    await bench.queue("1234BCD");
    await drain(bench);
    await turns(() => rowsAtErase.length === 0);
    expect(rowsAtErase).toEqual([0]);
  });

  test("leaves at once when it is queued in the same process, before any poll", async () => {
    await using bench = await openDeliveryBench();
    await turns();
    await bench.queue("1234BCD");
    for (let n = 0; n < 200 && bench.posted.length === 0; n++) await Bun.sleep(5);
    expect(bench.posted.length).toBe(1);
  });

  test("comes oldest first within a camera", async () => {
    await using bench = await openDeliveryBench();
    const order: string[] = [];
    for (let n = 0; n < 20; n++) order.push(await bench.queue(`${1000 + n}BCD`));
    await drain(bench);
    // Four are signed at a time, so one may overtake its neighbours, but never a whole claim.
    for (const [index, { plate }] of bench.posted.entries()) {
      expect(Math.abs(order.indexOf(plate) - index)).toBeLessThan(4);
    }
    expect(bench.posted.length).toBe(20);
  });

  test("keeps its pictures when the lease was lost meanwhile: whoever has it now will need them", async () => {
    await using bench = await openDeliveryBench();
    let release: (outcome: DeliveryOutcome) => void = () => {};
    bench.answer = () =>
      new Promise((resolve) => {
        release = resolve;
      });
    await bench.queue("1234BCD");
    await bench.clock.advance(1000);
    await bench.store.releaseExpired(new Date(bench.clock.now().getTime() + 3_600_000));
    bench.answer = () => new Promise(() => {});
    release(accepted);
    await bench.clock.advance(100);
    const [message] = await bench.store.listMessages({}, 1);
    const paths = await bench.store.findMessageImages(message?.messageId ?? 0);
    expect(existsSync(join(bench.folder, "images", paths?.ocr ?? "none"))).toBe(true);
  });

  test("is not posted when its lease would be over before the answer must have come: another may have it then", async () => {
    await using bench = await openDeliveryBench();
    const { read } = bench.images;
    const { busy } = bench.clock;
    // The disk waits for the clock, and not the clock for it.
    bench.clock.busy = () => false;
    let reads = 0;
    bench.images.read = async (path) => {
      reads += 1;
      if (reads === 1) await bench.clock.sleep(SENDER.stuckTimeoutMs + 1000);
      bench.clock.busy = busy;
      return read(path);
    };
    await bench.queue("1234BCD");
    await bench.clock.advance(SENDER.stuckTimeoutMs);
    expect([reads, bench.posted.length]).toEqual([1, 0]);
    // It goes back as it was, and is claimed and read anew.
    await drain(bench, 5000);
    expect([reads, bench.posted.length, await waiting(bench)]).toEqual([2, 1, 0]);
  });
});

describe("a claim whose answer is lost", () => {
  test("delays its messages by a moment, not by a lease, and leaves alone what is under way", async () => {
    await using bench = await openDeliveryBench();
    let release: (outcome: DeliveryOutcome) => void = () => {};
    bench.answer = () =>
      new Promise((resolve) => {
        release = resolve;
      });
    await bench.queue("0001BCD");
    await bench.clock.advance(100);
    bench.losesClaims = true;
    await Promise.all([bench.queue("0002BCD"), bench.queue("0003BCD")]);
    await bench.clock.advance(100);
    expect((await bench.store.summarize()).byStatus).toMatchObject({ PENDING: 0, SENDING: 3 });
    bench.losesClaims = false;
    bench.answer = () => accepted;
    await bench.clock.advance(3000);
    // Two of one claim are signed side by side: either may be posted first.
    expect(bench.posted.map(({ plate }) => plate).toSorted()).toEqual(["0001BCD", "0002BCD", "0003BCD"]);
    release(accepted);
    await drain(bench, 2000);
    expect(await waiting(bench)).toBe(0);
  });

  test("and that the store carries out later, when it was given up already, is found too", async () => {
    await using bench = await openDeliveryBench();
    bench.losesClaims = true;
    await bench.clock.advance(1000);
    bench.losesClaims = false;
    await bench.clock.advance(5000);
    await bench.queue("0001BCD");
    const late = await bench.store.claim({ ...claimRequest(), owner: bench.owner() }, bench.clock.now());
    expect(late.length).toBe(1);
    await drain(bench, 20_000);
    expect(bench.posted.map(({ plate }) => plate)).toEqual(["0001BCD"]);
  });
});

const OUTAGES: readonly (readonly [string, (bench: DeliveryBench) => Promise<DeliveryOutcome> | DeliveryOutcome])[] = [
  ["refuses connections", () => ({ kind: "unreachable", detail: "connection refused" })],
  [
    "hangs",
    async (bench) => {
      await bench.clock.sleep(10_000);
      return { kind: "unanswered", detail: "no answer within 10000 ms" };
    },
  ],
  ["answers 503", () => ({ kind: "unanswered", detail: "HTTP 503" })],
  ["answers faults", () => ({ kind: "unanswered", detail: "SOAP fault Server" })],
  ["answers an HTML page", () => ({ kind: "unanswered", detail: "HTTP 200 with text/html" })],
  [
    "does not accept the certificate",
    () => ({ kind: "misconfigured", detail: "FailedAuthentication", scope: "certificate" }),
  ],
  ["is at another address", () => ({ kind: "misconfigured", detail: "HTTP 404", scope: "endpoint" })],
];

describe("two minutes in which the police", () => {
  for (const [name, outage] of OUTAGES) {
    test(`${name} lose nothing and spend no attempt`, async () => {
      await using bench = await openDeliveryBench();
      // All was well before: that says nothing about those that fail now.
      await bench.queue("0000BCD");
      await drain(bench);
      bench.posted.splice(0);
      bench.answer = () => outage(bench);
      for (let n = 0; n < 12; n++) await bench.queue(`${1000 + n}BCD`);
      for (let n = 0; n < 12; n++) {
        await bench.clock.advance(10_000);
        await bench.queue(`${2000 + n}BCD`);
      }
      const messages = await bench.store.listMessages({}, 100);
      expect(messages.length).toBe(24);
      expect(messages.filter(({ attempts }) => attempts > 0)).toEqual([]);
      expect(messages.filter(({ status }) => status === "DEAD")).toEqual([]);
      // 1 s doubling to 30 s: a hundred probes would be a storm, none would be sleep.
      expect(bench.posted.length).toBeLessThan(30);
      expect(bench.posted.length).toBeGreaterThan(3);
      const before = bench.posted.length;
      bench.answer = () => accepted;
      await drain(bench);
      expect(await waiting(bench)).toBe(0);
      const delivered = new Set(bench.posted.slice(before).map(({ plate }) => plate));
      expect(delivered.size).toBe(24);
    });
  }

  test("are away for a week cost nothing either", async () => {
    await using bench = await openDeliveryBench();
    bench.answer = () => ({ kind: "unanswered", detail: "HTTP 503" });
    for (let n = 0; n < 5; n++) await bench.queue(`${1000 + n}BCD`);
    for (let hour = 0; hour < 24; hour++) await bench.clock.advance(2 * MINUTE_MS);
    expect((await bench.store.listMessages({ statuses: ["DEAD"] }, 10)).length).toBe(0);
    expect(new Set(bench.posted.map(({ plate }) => plate)).size).toBe(5);
    bench.answer = () => accepted;
    await drain(bench);
    expect(await waiting(bench)).toBe(0);
  });
});

describe("one message that alone always fails", () => {
  const poison = (post: Posted): DeliveryOutcome =>
    post.plate === "6666BAD" ? { kind: "unanswered", detail: "HTTP 500" } : accepted;

  test("ends DEAD after retry_max, and holds up nobody", async () => {
    await using bench = await openDeliveryBench();
    bench.answer = async (post) => {
      if (post.plate === "6666BAD") await bench.clock.sleep(50);
      return poison(post);
    };
    await bench.queue("6666BAD");
    for (let n = 0; n < 60; n++) {
      await bench.queue(`${1000 + n}BCD`);
      await bench.clock.advance(1000);
    }
    await bench.clock.advance(2000);
    const [dead, ...others] = await bench.store.listMessages({}, 100);
    expect(others).toEqual([]);
    expect(dead).toMatchObject({ status: "DEAD", reason: "MAX_REINTENTOS_AGOTADOS", attempts: 3 });
    expect(bench.posted.filter(({ plate }) => plate !== "6666BAD").length).toBe(60);
    expect(dead?.hasOcrImage).toBe(true);
  });

  test("is not given up while others are only refused, either", async () => {
    await using bench = await openDeliveryBench();
    bench.answer = (post) =>
      post.plate === "6666BAD"
        ? { kind: "unanswered", detail: "HTTP 500" }
        : { kind: "rejected", returnCode: "7", detail: "codiRetorn=7" };
    await bench.queue("6666BAD");
    for (let n = 0; n < 30; n++) {
      await bench.queue(`${1000 + n}BCD`);
      await bench.clock.advance(2000);
    }
    expect(bench.posted.filter(({ plate }) => plate === "6666BAD").length).toBeGreaterThan(5);
    expect((await bench.store.listMessages({ statuses: ["FAILED"] }, 10)).map(({ attempts }) => attempts)).toEqual([0]);
  });

  test("is not given up while nothing else is accepted: it cannot be told from an outage", async () => {
    await using bench = await openDeliveryBench();
    bench.answer = poison;
    await bench.queue("6666BAD");
    await bench.clock.advance(30 * MINUTE_MS);
    const [message] = await bench.store.listMessages({}, 10);
    expect(message).toMatchObject({ attempts: 0, status: "FAILED" });
    expect(bench.posted.length).toBeGreaterThan(10);
  });
});

describe("what the police refuse", () => {
  test("is DEAD with their code and kept", async () => {
    await using bench = await openDeliveryBench();
    bench.answer = () => ({ kind: "rejected", returnCode: "7", detail: "codiRetorn=7" });
    await bench.queue("1234BCD");
    await bench.clock.advance(2000);
    const [message] = await bench.store.listMessages({}, 10);
    expect(message).toMatchObject({ status: "DEAD", reason: "codiRetorn=7" });
    expect(bench.posted.length).toBe(1);
  });
});

/** Goes on to the beginning of a pause of 30 s: nothing comes by itself for long. */
async function inLongPause(bench: DeliveryBench): Promise<void> {
  await bench.clock.advance(10 * MINUTE_MS);
  const { length } = bench.posted;
  while (bench.posted.length === length) await bench.clock.advance(250);
  const { length: begun } = bench.posted;
  await bench.clock.advance(5000);
  expect(bench.posted.length).toBe(begun);
}

describe("one endpoint's trouble", () => {
  test("does not hold another endpoint", async () => {
    await using bench = await openDeliveryBench();
    await bench.addMunicipality("Poble", { endpoint: "other", certificate: true, serials: ["CAM2"] });
    bench.answer = async (post) => {
      if (post.url.includes("police")) {
        await bench.clock.sleep(10_000);
        return { kind: "unanswered", detail: "no answer" };
      }
      return accepted;
    };
    for (let n = 0; n < 40; n++) {
      await bench.queue(`${1000 + n}BCD`, "CAM1");
      await bench.queue(`${2000 + n}BCD`, "CAM2");
    }
    await bench.clock.advance(5000);
    expect(bench.posted.filter(({ url }) => url.includes("other")).length).toBe(40);
  });

  test("leaves room: of any number of endpoints 64 messages in all are under way", async () => {
    await using bench = await openDeliveryBench();
    bench.answer = () => new Promise(() => {});
    for (let n = 0; n < 20; n++) {
      const serial = `MANY${n}`;
      await bench.addMunicipality(`Poble ${n}`, { endpoint: `police ${n}`, certificate: true, serials: [serial] });
      for (let m = 0; m < SENDER.concurrency; m++) await bench.queue(`${1000 + n * 10 + m}BCD`, serial);
    }
    await bench.clock.advance(5000);
    expect([bench.sender.inFlight(), bench.posted.length]).toEqual([64, 64]);
  });

  test("does not wait for the disk, but a disk that stands still holds up no more than as many again", async () => {
    await using bench = await openDeliveryBench();
    const disk = Promise.withResolvers<void>();
    bench.disk = disk.promise;
    for (let n = 0; n < 20; n++) await bench.queue(`${1000 + n}BCD`);
    bench.clock.busy = () => bench.posted.length < 2 * SENDER.concurrency;
    await bench.clock.advance(500);
    bench.clock.busy = () => false;
    await bench.clock.advance(5000);
    await Bun.sleep(100);
    expect([bench.sender.inFlight(), bench.posted.length]).toEqual([2 * SENDER.concurrency, 2 * SENDER.concurrency]);
    disk.resolve();
    bench.clock.busy = () => bench.sender.inFlight() > 0;
    await bench.clock.advance(5000);
    expect([bench.posted.length, (await bench.store.listMessages({}, 1)).length]).toEqual([20, 0]);
  });

  test("with one town's certificate does not hold the towns beside it", async () => {
    await using bench = await openDeliveryBench();
    await bench.addMunicipality("Poble", { endpoint: "police", certificate: true, serials: ["CAM2"] });
    bench.answer = (post) =>
      post.plate.startsWith("1")
        ? { kind: "misconfigured", detail: "FailedAuthentication", scope: "certificate" }
        : accepted;
    for (let n = 0; n < 20; n++) {
      await bench.queue(`${1000 + n}BCD`, "CAM1");
      await bench.queue(`${2000 + n}BCD`, "CAM2");
    }
    await bench.clock.advance(10_000);
    expect(bench.posted.filter(({ plate }) => plate.startsWith("2")).length).toBe(20);
    expect(bench.posted.filter(({ plate }) => plate.startsWith("1")).length).toBeLessThan(10);
    const states = await bench.store.listRouteStates();
    expect(states.filter(({ pauseKind }) => pauseKind === "misconfigured").length).toBe(1);
  });

  test("is probed by one message at a time, and not always by the same", async () => {
    await using bench = await openDeliveryBench();
    let under = 0;
    let most = 0;
    bench.answer = async () => {
      most = Math.max(most, ++under);
      await bench.clock.sleep(500);
      under -= 1;
      return { kind: "unanswered", detail: "HTTP 503" };
    };
    for (let n = 0; n < 10; n++) await bench.queue(`${1000 + n}BCD`);
    await bench.clock.advance(5000);
    most = 0;
    const before = bench.posted.length;
    await bench.clock.advance(3 * MINUTE_MS);
    expect(most).toBe(1);
    expect(new Set(bench.posted.slice(before).map(({ plate }) => plate)).size).toBeGreaterThan(2);
  });

  test("is probed at once after an operator's change", async () => {
    await using bench = await openDeliveryBench();
    bench.answer = () => ({ kind: "misconfigured", detail: "HTTP 404", scope: "endpoint" });
    await bench.queue("1234BCD");
    await inLongPause(bench);
    const before = bench.posted.length;
    bench.answer = () => accepted;
    const endpoint = await bench.store.findEndpoint("police");
    if (endpoint === null) throw new Error("no endpoint");
    const { id: _id, ...value } = endpoint;
    await bench.store.saveEndpoint({ ...value, url: "https://right.example/matr-ws" });
    await bench.clock.advance(3000);
    expect(bench.posted.length).toBe(before + 1);
    expect(bench.posted.at(-1)?.url).toBe("https://right.example/matr-ws");
  });

  test("is probed at once when an operator wants it tried, and goes on as before when that fails", async () => {
    await using bench = await openDeliveryBench();
    bench.answer = () => ({ kind: "unreachable", detail: "ECONNREFUSED" });
    await bench.queue("1234BCD");
    await bench.clock.advance(10 * MINUTE_MS);
    const endpoint = await bench.store.findEndpoint("police");
    if (endpoint === null) throw new Error("no endpoint");
    const pausesBefore = (await bench.store.listRouteStates())[0]?.pauses ?? 0;
    const before = bench.posted.length;
    expect(await bench.store.tryEndpoint(endpoint.id, bench.clock.now())).toBe(1);
    bench.sender.lookAgain();
    await bench.clock.advance(10);
    expect(bench.posted.length).toBe(before + 1);
    const [state] = await bench.store.listRouteStates();
    expect(state?.pauses).toBe(pausesBefore + 1);
    // Once is once: the next try waits for the end of the pause.
    bench.sender.lookAgain();
    await bench.clock.advance(3000);
    expect(bench.posted.length).toBe(before + 1);
  });

  test("is probed within the poll interval when an operator elsewhere wants it tried", async () => {
    await using bench = await openDeliveryBench();
    bench.answer = () => ({ kind: "misconfigured", detail: "HTTP 404", scope: "endpoint" });
    await bench.queue("1234BCD");
    await inLongPause(bench);
    const before = bench.posted.length;
    bench.answer = () => accepted;
    const endpoint = await bench.store.findEndpoint("police");
    await bench.store.tryEndpoint(endpoint?.id ?? -1, bench.clock.now());
    await bench.clock.advance(SENDER.pollIntervalMs);
    expect(bench.posted.length).toBe(before + 1);
    expect((await bench.store.listMessages({}, 1)).length).toBe(0);
  });
});

describe("a message that no one can take", () => {
  test("by an answer that speaks of a wrong address ends after the attempts, and the others pass meanwhile", async () => {
    await using bench = await openDeliveryBench();
    bench.answer = ({ plate }) =>
      plate === "6666BAD" ? { kind: "misconfigured", detail: "HTTP 403", scope: "endpoint-or-message" } : accepted;
    await bench.queue("6666BAD");
    for (let n = 0; n < 60; n++) {
      await bench.queue(`${1000 + n}BCD`);
      await bench.clock.advance(2000);
    }
    // Tried also while nothing else was accepted, which spends nothing.
    expect(bench.posted.filter(({ plate }) => plate === "6666BAD").length).toBeLessThan(20);
    expect(new Set(bench.posted.map(({ plate }) => plate)).size).toBe(61);
    expect(await bench.store.listMessages({}, 10)).toMatchObject([
      { status: "DEAD", reason: "MAX_REINTENTOS_AGOTADOS" },
    ]);
  });

  test("because its picture cannot be read waits a minute each time, and holds neither its camera nor a pause", async () => {
    await using bench = await openDeliveryBench();
    for (let n = 0; n < SENDER.concurrency; n++) {
      const bad = `CAM1/2026/bad-${n}_ocr.jpg`;
      mkdirSync(join(bench.folder, "images", bad), { recursive: true });
      await bench.queue(`666${n}BAD`, "CAM1", { imageOcrPath: bad });
    }
    bench.answer = () => ({ kind: "unreachable", detail: "ECONNREFUSED" });
    await bench.queue("1000BCD");
    await bench.clock.advance(5000);
    expect(bench.posted.length).toBeGreaterThan(0);
    bench.answer = () => accepted;
    await bench.queue("1001BCD");
    await drain(bench, 60_000);
    expect(new Set(bench.posted.map(({ plate }) => plate))).toEqual(new Set(["1000BCD", "1001BCD"]));
    const left = await bench.store.listMessages({}, 10);
    expect(left.map(({ status, attempts }) => ({ status, attempts }))).toEqual(
      Array.from({ length: SENDER.concurrency }, () => ({ status: "FAILED", attempts: 0 })),
    );
    expect(left[0]?.lastError).toMatch(/^reading an image: EISDIR/);
  });

  test("while the place of its pictures cannot be reached waits for moments, and spends nothing", async () => {
    await using bench = await openDeliveryBench();
    const { read } = bench.images;
    bench.images.read = async () => {
      throw new AppError("store-unreachable", "reading a picture: the bucket is away");
    };
    // It rests for moments of the clock, which does not wait for it.
    const { busy } = bench.clock;
    bench.clock.busy = () => false;
    await bench.queue("1234BCD");
    await bench.clock.advance(10_000);
    expect(bench.posted).toEqual([]);
    bench.images.read = read;
    await bench.clock.advance(4000);
    bench.clock.busy = busy;
    await drain(bench, 2000);
    expect([bench.posted.length, await waiting(bench)]).toEqual([1, 0]);
  });

  test("because its plate picture is empty is DEAD as one whose picture is gone", async () => {
    await using bench = await openDeliveryBench();
    const path = "CAM1/20260302T080000000Z_plate-1234BCD_ocr.jpg";
    await bench.images.put(path, new Uint8Array());
    await bench.queue("1234BCD", "CAM1", { imageOcrPath: path });
    await bench.clock.advance(1000);
    expect((await bench.store.listMessages({}, 1))[0]?.reason).toBe(
      "NO_IMAGE_FILE_OCR:CAM1/20260302T080000000Z_plate-•••_ocr.jpg",
    );
  });
});

describe("a clock that is set back by two hours", () => {
  test("delays neither what failed nor a paused endpoint by them", async () => {
    await using bench = await openDeliveryBench();
    bench.answer = () => ({ kind: "unreachable", detail: "ENETUNREACH" });
    for (let n = 0; n < 5; n++) await bench.queue(`${1000 + n}BCD`);
    await bench.clock.advance(MINUTE_MS);
    bench.clock.setBack(2 * 60 * MINUTE_MS);
    bench.answer = () => accepted;
    await drain(bench, SENDER.pauseMaxMs + 10_000);
    expect(await waiting(bench)).toBe(0);
  });
});

describe("what a reading lacks", () => {
  test("without a certificate it is DEAD, and comes back by itself once there is one", async () => {
    await using bench = await openDeliveryBench();
    await bench.addMunicipality("Poble", { endpoint: "police", certificate: false, serials: ["CAM2"] });
    await bench.queue("1234BCD", "CAM2");
    await bench.clock.advance(2000);
    expect((await bench.store.listMessages({}, 1))[0]).toMatchObject({
      status: "DEAD",
      reason: "CERTIFICADO_NO_CONFIGURADO",
    });
    await bench.addMunicipality("Poble", { endpoint: null, certificate: true, serials: [] });
    await bench.addMunicipality("Poble", { endpoint: "police", certificate: true, serials: [] });
    await drain(bench, MINUTE_MS);
    expect(await waiting(bench)).toBe(0);
  });

  test("without an endpoint it is DEAD, unless MOSSOS_ENDPOINT_URL is set", async () => {
    for (const endpointUrl of [null, "https://default.example/matr-ws"]) {
      await using bench = await openDeliveryBench({ endpointUrl });
      await bench.addMunicipality("Poble", { endpoint: null, certificate: true, serials: ["CAM2"] });
      await bench.queue("1234BCD", "CAM2");
      await bench.clock.advance(2000);
      const [message] = await bench.store.listMessages({}, 1);
      if (endpointUrl === null)
        expect(message).toMatchObject({ status: "DEAD", reason: "ENDPOINT_URL_NO_CONFIGURADA" });
      else expect(bench.posted[0]?.url).toBe(endpointUrl);
    }
  });

  test("with a key file gone it is DEAD as incomplete", async () => {
    await using bench = await openDeliveryBench();
    rmSync(join(bench.folder, "key.pem"));
    await bench.queue("1234BCD");
    await bench.clock.advance(2000);
    expect((await bench.store.listMessages({}, 1))[0]).toMatchObject({
      status: "DEAD",
      reason: "CERTIFICADO_INCOMPLETO",
    });
  });

  test("without its plate picture it is DEAD, and the reason shows no plate", async () => {
    await using bench = await openDeliveryBench();
    await bench.queue("1234BCD", "CAM1", { imageOcrPath: null });
    await bench.queue("5678FGH", "CAM1", { imageOcrPath: "CAM1/2026/01/23/20260123T092557123Z_plate-5678FGH_ocr.jpg" });
    await bench.queue("9012JKL", "CAM1", { imageCtxPath: "CAM1/2026/01/23/20260123T092557123Z_plate-9012JKL_ctx.jpg" });
    await bench.clock.advance(2000);
    const reasons = (await bench.store.listMessages({}, 9)).map(({ reason }) => reason);
    expect(reasons).toEqual([
      "NO_IMAGE_AVAILABLE_OCR",
      "NO_IMAGE_FILE_OCR:CAM1/2026/01/23/20260123T092557123Z_plate-•••_ocr.jpg",
      "NO_IMAGE_FILE_CTX:CAM1/2026/01/23/20260123T092557123Z_plate-•••_ctx.jpg",
    ]);
    expect(bench.posted).toEqual([]);
  });

  test("with a value the police would refuse it is DEAD naming the field, not sent", async () => {
    await using bench = await openDeliveryBench();
    await bench.queue("12345678901");
    await bench.clock.advance(2000);
    const [message] = await bench.store.listMessages({}, 1);
    expect(message).toMatchObject({ status: "DEAD", reason: "CAMPO_NO_VALIDO:matricula" });
    expect(message?.lastError).not.toContain("12345678901");
    expect(bench.posted).toEqual([]);
  });
});

describe("stopping", () => {
  test("leaves a message under way as it was, for the next start", async () => {
    await using bench = await openDeliveryBench();
    bench.answer = () => new Promise(() => {});
    await bench.queue("1234BCD");
    await bench.clock.advance(500);
    expect(bench.sender.inFlight()).toBe(1);
    const stopping = bench.sender.stop(5000);
    await bench.clock.advance(6000);
    await Promise.race([stopping, Bun.sleep(1000)]);
    const [message] = await bench.store.listMessages({}, 1);
    expect(message).toMatchObject({ status: "SENDING", attempts: 0 });
  });

  test("waits for an answer that comes in time", async () => {
    await using bench = await openDeliveryBench();
    bench.answer = async () => {
      await bench.clock.sleep(2000);
      return accepted;
    };
    await bench.queue("1234BCD");
    await bench.clock.advance(500);
    const stopping = bench.sender.stop(5000);
    await bench.clock.advance(3000);
    await stopping;
    expect(await waiting(bench)).toBe(0);
  });

  test("forgets no pause: the next start probes at once, with one message", async () => {
    await using bench = await openDeliveryBench();
    bench.answer = () => ({ kind: "unreachable", detail: "connection refused" });
    for (let n = 0; n < 5; n++) await bench.queue(`${1000 + n}BCD`);
    await bench.clock.advance(MINUTE_MS);
    const before = bench.posted.length;
    await bench.restart();
    await bench.clock.advance(300);
    expect(bench.posted.length).toBe(before + 1);
  });
});
