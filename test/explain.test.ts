import { expect, test } from "bun:test";
import { explainMessage, type MessageLife } from "../src/explain.ts";
import { translate } from "../src/i18n/translate.ts";
import { REASON } from "../src/message.ts";
import type { MessageAttempt, QueuedMessage } from "../src/store/messages.ts";
import type { RouteState } from "../src/store/store.ts";
import { newCamera, newCertificate, newEndpoint, START } from "./support/store-fixture.ts";

const after = (seconds: number): Date => new Date(START.getTime() + seconds * 1000);
const MESSAGE: QueuedMessage = {
  messageId: 12,
  status: "PENDING",
  attempts: 0,
  reason: null,
  lastError: null,
  cameraSerial: "2001008851",
  municipality: "Sant Cugat",
  endpointName: "lectio",
  plate: "1234BCD",
  direction: null,
  laneId: null,
  ocrScore: null,
  countryCode: null,
  capturedAt: START,
  timeSource: "camera",
  receivedAt: after(3),
  nextRetryAt: null,
  hasOcrImage: true,
  hasCtxImage: true,
  leaseOwner: null,
  leaseUntil: null,
};
const LIFE: MessageLife = {
  message: MESSAGE,
  attempts: [],
  camera: { id: 1, ...newCamera("2001008851", 2, { description: "Pont" }), lastReadingAt: null, lastSentAt: null },
  municipality: { id: 2, name: "Sant Cugat", code: null, endpointId: 3, certificateId: 4, active: true },
  endpoint: { id: 3, ...newEndpoint("lectio") },
  certificate: { id: 4, ...newCertificate("Sant Cugat", { validTo: new Date("2027-01-31T00:00:00Z") }) },
  routes: [],
  defaultUrl: null,
  retryMax: 3,
  deadRetentionMs: 3 * 86_400_000,
  senderEnabled: true,
  senderRuns: true,
};

function explain(change: Partial<MessageLife> & { is?: Partial<QueuedMessage> } = {}, showPlate = false) {
  const { is, ...life } = change;
  const told = explainMessage({ ...LIFE, ...life, message: { ...MESSAGE, ...is } }, after(60), "UTC", showPlate);
  // What one test or another has told is said in the operators' languages too, to the last word.
  for (const text of [...told.story, told.waitsFor, ...told.cures]) {
    for (const language of ["ca", "es"] as const) expect(translate(text, language)).not.toMatch(ENGLISH);
  }
  return told;
}
const ENGLISH =
  /(?<!\p{L})(the|it|its|is|was|are|and|of|by|at|on|after|until|later|before|none|sent|read|picture)(?!\p{L})/iu;
const told = (change: Parameters<typeof explain>[0]): string => {
  const { story, waitsFor } = explain(change);
  return [...story, waitsFor].join("\n");
};

test("a message that waits for its turn is told from the camera to the queue, its plate masked", () => {
  const { story, waitsFor, cures } = explain();
  expect(story).toEqual([
    "Camera 2001008851 (Pont) read 12•••CD at 2026-05-04 10:00:00 by its clock.",
    "It came here at 2026-05-04 10:00:03, at once.",
    "It has both pictures.",
    "It goes to endpoint lectio (https://lectio.example/matr-ws), signed for Sant Cugat with certificate Sant Cugat, valid until 2027-01-31.",
    "It was not sent yet.",
  ]);
  expect(waitsFor).toBe("It is due and waits for its turn; older ones of its camera go first.");
  expect(cures).toEqual([]);
  expect(explain({}, true).story[0]).toContain("1234BCD");
  expect(told({ certificate: null })).toContain("signed for Sant Cugat with no certificate.");
  expect(told({ endpoint: null })).toContain("neither its camera nor that has an endpoint");
  expect(told({ is: { lastError: "no whole answer before the deadline" } })).toContain("The last error was: no whole");
});

test("lateness, missing pictures and the source of the time are told", () => {
  expect(told({ is: { receivedAt: after(7200) } })).toContain("10:00:00, 2 h later.".slice(10));
  expect(told({ is: { receivedAt: after(-60) } })).toContain("60 s before that, so the camera's clock is ahead");
  expect(told({ is: { hasOcrImage: false } })).toContain("without the plate's picture");
  expect(told({ is: { hasCtxImage: false } })).toContain("none of the context");
  expect(told({ is: { timeSource: "arrival" } })).toContain("no usable time");
  expect(told({ is: { timeSource: "ambiguous" } })).toContain("gives twice (the first was taken)");
  expect(told({ is: { timeSource: "wall-clock" } })).toContain("as the replaced system wrote it down");
});

test("each attempt is told with what came of it, and how many are spent", () => {
  const attempt = (at: number, kind: MessageAttempt["kind"], detail: string): MessageAttempt => ({
    at: after(at),
    kind,
    detail,
    durationMs: 30_000,
  });
  const attempts = [
    attempt(1, "unreachable", "the connection was refused"),
    attempt(2, "unanswered", "no whole answer"),
  ];
  const text = told({
    attempts,
    is: { status: "FAILED", attempts: 1, nextRetryAt: after(120), lastError: "no whole answer" },
  });
  expect(text).toContain(
    "At 2026-05-04 10:00:01 it was sent and did not get there after 30.0 s: the connection was refused.",
  );
  expect(text).toContain("At 2026-05-04 10:00:02 it was sent and not answered after 30.0 s: no whole answer.");
  expect(text).toContain("1 of its attempts is spent");
  expect(text).toContain("tried again at 2026-05-04 10:02:00, in 60 s. The last error was: no whole answer.");
  const many = Array.from({ length: 12 }, (_, n) => attempt(n, "unanswered", ""));
  expect(told({ attempts: many })).toContain("The first 4 known attempts are left out");
  for (const kind of ["accepted", "rejected", "misconfigured"] as const) {
    expect(told({ attempts: [attempt(1, kind, "")], is: { attempts: 2 } })).toContain("2 of its attempts are spent");
  }
});

test("what holds a waiting message back is named: a pause, no sender, a sender that is switched off", () => {
  const route: RouteState = {
    ...{ endpointId: 3, certificateId: 0, pausedUntil: after(90), pauseKind: "misconfigured", detail: "wrong address" },
    ...{ pauses: 1, lastAcceptedAt: null, clockOffsetMs: null, latencyMs: null, mendedAt: null, triedAt: null },
  };
  const paused = explain({ routes: [route] });
  expect(paused.waitsFor).toContain("endpoint is paused (misconfigured: wrong address), until 2026-05-04 10:01:30");
  expect(paused.cures).toEqual(["tattile doctor", "tattile endpoint set lectio --url URL"]);
  const own = explain({ routes: [{ ...route, certificateId: 4 }] });
  expect(own.waitsFor).toContain("Its certificate at this endpoint is paused");
  expect(own.cures).toEqual(['tattile cert import FILE.pfx --municipality "Sant Cugat"']);
  expect(explain({ routes: [{ ...route, endpointId: 9 }] }).waitsFor).toContain("waits for its turn");
  expect(explain({ senderRuns: false }).waitsFor).toContain("no sender is running");
  expect(explain({ senderEnabled: false }).cures).toEqual(["set SENDER_ENABLED=true and restart"]);
  expect(told({ is: { status: "SENDING", leaseOwner: "machine/1", leaseUntil: after(300) } })).toContain(
    "being sent now by machine/1. If it dies, the message is due again at 2026-05-04 10:05:00",
  );
});

test.each<[string, string, RegExp]>([
  [REASON.noCertificate, "by itself once that is there", /cert import FILE.pfx --municipality "Sant Cugat"/],
  [REASON.incompleteCertificate, "missing or does not fit", /tattile cert check/],
  [REASON.noEndpoint, "nowhere to go", /municipality set "Sant Cugat" --endpoint NAME/],
  [REASON.attemptsExhausted, "while they took others", /tattile queue retry 12/],
  [REASON.noOcrImage, "no picture of the plate", /IMAGE_OCR/],
  [`${REASON.noOcrFile}:x/y_plate-•••_ocr.jpg`, "file is gone", /who deletes/],
  [`${REASON.invalidField}:codiLector`, "does not fit", /tattile camera show 2001008851/],
  ["codiRetorn=7", "understood it and refused it", /ask the police/],
  ["SOMETHING_ELSE", "it was given up: SOMETHING_ELSE", /queue discard 12/],
])("a message dead of %s is told why and what would free it", (reason, why, cure) => {
  const lastError = "the connection was refused (ECONNREFUSED)";
  expect(told({ is: { status: "DEAD", reason, lastError } })).toContain(`What was said: ${lastError}. DEAD`);
  const { waitsFor, cures } = explain({ is: { status: "DEAD", reason } });
  expect(waitsFor).toStartWith(`It is DEAD (${reason}): `);
  expect(waitsFor).toContain(why);
  expect(waitsFor).toContain("erased after 3 d");
  expect(cures.join("\n")).toMatch(cure);
  expect(cures.at(-1)).toStartWith("tattile queue discard 12");
});
