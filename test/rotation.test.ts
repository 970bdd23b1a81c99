import { expect, test } from "bun:test";
import { silentLog } from "../src/log.ts";
import { decideRotation, judgeRotation, type RotationFacts, stepRotations } from "../src/rotation.ts";
import type { Certificate, Rotation } from "../src/store/registry.ts";
import type { RouteState } from "../src/store/store.ts";
import { addCameras, after, newCertificate, SqliteUnderTest, START, standingClock } from "./support/store-fixture.ts";

const next: Certificate = { id: 2, ...newCertificate("next", { validFrom: after(0), validTo: after(10_000) }) };
const previous: Certificate = { id: 1, ...newCertificate("old", { validTo: after(5000) }) };
const STAGED: Rotation = {
  ...{
    municipalityId: 7,
    nextId: 2,
    previousId: null,
    state: "staged",
    detail: null,
    stagedAt: START,
    startedAt: null,
  },
};
const TRYING: Rotation = { ...STAGED, previousId: 1, state: "trying", startedAt: after(100) };

function facts(change: Partial<RotationFacts> = {}, certificateId = 2): RotationFacts {
  const municipality = { id: 7, name: "Vic", code: null, endpointId: 3, certificateId, active: true };
  return { municipality, next, previous, nextUsable: true, routes: [], ...change };
}
function route(change: Partial<RouteState>): RouteState {
  return {
    ...{ endpointId: 3, certificateId: 2, pausedUntil: null, pauseKind: null, detail: null, pauses: 0 },
    ...{ lastAcceptedAt: null, clockOffsetMs: null, latencyMs: null, mendedAt: null, triedAt: null },
    ...change,
  };
}

test("the next certificate starts with its first valid moment, and not before, nor when it cannot sign or has run out", () => {
  expect(decideRotation(STAGED, facts({}, 1), after(-1))).toEqual({ kind: "wait" });
  expect(decideRotation(STAGED, facts({}, 1), after(0))).toEqual({ kind: "start" });
  expect(decideRotation(STAGED, facts({ nextUsable: false }, 1), after(0))).toEqual({ kind: "wait" });
  expect(decideRotation(STAGED, facts({}, 1), after(10_001))).toEqual({ kind: "wait" });
});

test("the first message taken with it, and none from before, ends the rotation", () => {
  const at = (ms: number) => facts({ routes: [route({ lastAcceptedAt: after(ms) })] });
  expect(decideRotation(TRYING, at(99), after(500))).toEqual({ kind: "wait" });
  expect(decideRotation(TRYING, at(100), after(500))).toEqual({ kind: "finish", result: { kind: "done" } });
  const others = facts({ routes: [route({ certificateId: 0, lastAcceptedAt: after(200) })] });
  expect(decideRotation(TRYING, others, after(500))).toEqual({ kind: "wait" });
});

test("a refusal of it gives the earlier one back, an outage does not, nor when the earlier one is no longer valid", () => {
  const refused = route({ pausedUntil: after(900), pauseKind: "misconfigured", detail: "FailedAuthentication" });
  const failed = { kind: "finish", result: { kind: "failed", detail: "FailedAuthentication" } } as const;
  expect(decideRotation(TRYING, facts({ routes: [refused] }), after(500))).toEqual(failed);
  expect(decideRotation(TRYING, facts({ routes: [refused] }), after(5001))).toEqual({ kind: "wait" });
  expect(decideRotation(TRYING, facts({ routes: [refused], previous: null }), after(500))).toEqual({ kind: "wait" });
  const away = route({ pausedUntil: after(900), pauseKind: "unreachable" });
  expect(decideRotation(TRYING, facts({ routes: [away] }), after(500))).toEqual({ kind: "wait" });
  const ofAnother = { ...refused, certificateId: 0 };
  expect(decideRotation(TRYING, facts({ routes: [ofAnother] }), after(500))).toEqual({ kind: "wait" });
});

test("what somebody assigned meanwhile is theirs to decide, and what failed waits for somebody", () => {
  expect(decideRotation(TRYING, facts({}, 9), after(500))).toEqual({ kind: "superseded" });
  expect(decideRotation(STAGED, facts({ next: null }), after(500))).toEqual({ kind: "superseded" });
  expect(decideRotation({ ...TRYING, state: "failed" }, facts({}, 1), after(500))).toEqual({ kind: "wait" });
});

test("on a real store it goes from staged to done, every switch noted and told", async () => {
  const clock = standingClock();
  await using under = await SqliteUnderTest.open(clock);
  const { store } = under;
  const { municipality, endpoint } = await addCameras(store, "A");
  await store.addCertificate(newCertificate("old", { municipalityId: municipality, validTo: after(9000) }));
  const id = await store.addCertificate(newCertificate("next", { validFrom: after(1000), validTo: after(9000) }));
  await store.stageRotation(municipality, id, START);
  const told: string[] = [];
  const step = () =>
    stepRotations({
      store,
      isUsable: async () => true,
      note: async (detail) => void told.push(detail),
      onSwitched: (certificate) => told.push(certificate.name),
      now: clock.now,
      log: silentLog,
    });
  await step();
  expect(told).toEqual([]);
  clock.set(after(1000));
  await step();
  expect(told).toEqual([`Girona: certificate ${id} signs from now on`, "next"]);
  await store.saveRouteState(route({ endpointId: endpoint, certificateId: id, lastAcceptedAt: after(2000) }));
  clock.set(after(3000));
  await step();
  expect(await store.listRotations()).toEqual([]);
  expect((await store.findMunicipality("Girona"))?.certificateId).toBe(id);
});

test("the doctor tells of each state", () => {
  const judge = (rotation: Rotation, now = after(500)) => judgeRotation(rotation, "Vic", next, [], now)[0];
  expect(judge(STAGED)).toMatchObject({
    grade: "good",
    text: expect.stringContaining("staged, signs from 2026-05-04 10:00"),
  });
  expect(judge(TRYING)?.grade).toBe("good");
  expect(judge(TRYING, after(90_000_000))?.grade).toBe("warning");
  expect(judge({ ...TRYING, state: "failed", detail: "why" })).toMatchObject({
    grade: "warning",
    text: expect.stringContaining("why"),
  });
  const bad = { check: "c", grade: "bad", text: "its key: ENOENT", cure: "x" } as const;
  expect(judgeRotation(STAGED, "Vic", next, [bad], START)[0]).toMatchObject({
    grade: "warning",
    text: "its key: ENOENT",
  });
});
