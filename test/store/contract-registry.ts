import { describe, expect, test } from "bun:test";
import { AppError } from "../../src/errors.ts";
import { REASON } from "../../src/message.ts";
import type { Store } from "../../src/store/store.ts";
import {
  addCamera,
  addCameras,
  addEndpoint,
  addMunicipality,
  after,
  claimRequest,
  dead,
  newCamera,
  newCertificate,
  newEndpoint,
  type OpenStore,
  readingEntry,
  START,
  settleAll,
  standingClock,
  talliesOf,
} from "../support/store-fixture.ts";

export function describeRegistry(name: string, open: OpenStore): void {
  describe(`${name}: registry`, () => {
    test("says added, changed and unchanged, and compares names without regard to case", async () => {
      await using under = await open();
      const { store } = under;
      expect(await store.saveEndpoint(newEndpoint("Policia"))).toBe("added");
      expect(await store.saveEndpoint(newEndpoint("Policia"))).toBe("unchanged");
      expect(await store.saveEndpoint(newEndpoint("Policia", { retryMax: 9 }))).toBe("changed");
      expect((await store.findEndpoint("POLICIA"))?.retryMax).toBe(9);
      const value = { name: "Òdena", code: "08", endpointId: null, certificateId: null, active: true };
      expect(await store.saveMunicipality(value)).toBe("added");
      expect(await store.saveMunicipality(value)).toBe("unchanged");
      expect(await store.saveMunicipality({ ...value, name: "ÒDENA" })).toBe("changed");
      expect(await store.listMunicipalities()).toEqual([{ id: 1, ...value, name: "ÒDENA" }]);
      expect(await store.saveCamera(newCamera("a", 1))).toBe("added");
      expect(await store.saveCamera(newCamera("A", 1))).toBe("added");
      expect(await store.saveCamera(newCamera("A", 1))).toBe("unchanged");
      expect(await store.saveCamera(newCamera("A", 1, { active: false }))).toBe("changed");
      expect((await store.listCameras()).map(({ serial, active }) => [serial, active])).toEqual([
        ["a", true],
        ["A", false],
      ]);
    });

    test("gives back what was saved after it was opened again", async () => {
      await using under = await open();
      const endpoint = newEndpoint("E", {
        profile: "strict",
        soapAction: "",
        caPath: "/ca.pem",
        timezone: "UTC",
        wsdl: "file.wsdl",
        tlsClientCertificate: true,
      });
      await under.store.saveEndpoint(endpoint);
      const municipality = await addMunicipality(under.store, "M", 1);
      const certificate = newCertificate("C", { alias: "x", privpubPath: "/p.pem", municipalityId: municipality });
      const id = await under.store.addCertificate(certificate);
      await under.store.saveCamera(newCamera("S", municipality, { endpointId: 1, timezone: "UTC", description: "d" }));
      await under.reopen();
      const { store } = under;
      expect(await store.listEndpoints()).toEqual([{ id: 1, ...endpoint }]);
      expect(await store.findCertificate(id)).toEqual({ id, ...certificate });
      expect(await store.findMunicipality("m")).toMatchObject({ endpointId: 1, certificateId: id });
      expect(await store.findCamera("S")).toEqual({
        id: 1,
        ...newCamera("S", municipality, { endpointId: 1, timezone: "UTC", description: "d" }),
        lastReadingAt: null,
        lastSentAt: null,
      });
    });

    test("saving a camera again leaves what was noted of it", async () => {
      await using under = await open();
      const { store } = under;
      const { municipality } = await addCameras(store, "A");
      await store.enqueue([readingEntry(1, "A")], START);
      await store.saveCamera(newCamera("A", municipality, { description: "new" }));
      expect((await store.findCamera("A"))?.lastReadingAt).toEqual(after(1));
    });

    test("a new certificate takes the earlier one's place, which stays listed", async () => {
      await using under = await open();
      const { store } = under;
      const municipality = await addMunicipality(store, "Girona");
      const old = await store.addCertificate(newCertificate("girona", { municipalityId: municipality }));
      const renewed = await store.addCertificate(newCertificate("Girona", { municipalityId: municipality }));
      expect((await store.findMunicipality("Girona"))?.certificateId).toBe(renewed);
      expect((await store.findCertificate(old))?.municipalityId).toBeNull();
      expect((await store.findCertificate("GIRONA"))?.id).toBe(renewed);
      await store.assignCertificate(municipality, old);
      expect((await store.findCertificate("girona"))?.id).toBe(old);
      expect((await store.findCertificate(renewed))?.municipalityId).toBeNull();
      await store.assignCertificate(municipality, null);
      expect((await store.findMunicipality("girona"))?.certificateId).toBeNull();
      expect((await store.listCertificates()).map(({ municipalityId }) => municipalityId)).toEqual([null, null]);
    });

    test("refuses what does not exist", async () => {
      await using under = await open();
      const { store } = under;
      const nowhere = { name: "M", code: null, endpointId: 7, certificateId: null, active: true };
      expect(await codeOf(store.saveMunicipality(nowhere))).toBe("not-found");
      expect(await codeOf(store.saveCamera(newCamera("A", 7)))).toBe("not-found");
      expect(await codeOf(store.assignCertificate(7, null))).toBe("not-found");
      expect(await codeOf(store.addCertificate(newCertificate("C", { municipalityId: 7 })))).toBe("not-found");
      expect(await store.listCertificates()).toEqual([]);
      expect([await store.findCamera("A"), await store.findEndpoint("x"), await store.findCertificate(9)]).toEqual([
        null,
        null,
        null,
      ]);
    });

    test("removes nothing that is in use, and names what uses it and how many messages wait", async () => {
      await using under = await open();
      const { store } = under;
      const { endpoint, municipality } = await addCameras(store, "A", "B");
      const certificate = await store.addCertificate(newCertificate("C", { municipalityId: municipality }));
      await store.enqueue([readingEntry(1, "A"), readingEntry(2, "B")], START);
      await expect(store.removeEndpoint(endpoint)).rejects.toThrow(/Police.*2 waiting messages, municipality Girona/);
      await expect(store.removeMunicipality(municipality)).rejects.toThrow(/2 waiting messages, camera A, camera B/);
      await expect(store.removeCertificate(certificate)).rejects.toThrow(/municipality Girona/);
      expect(await codeOf(store.removeCamera(1, false))).toBe("conflict");
      expect((await store.listCameras()).map(({ active }) => active)).toEqual([true, true]);

      expect(await store.removeCamera(1, true)).toEqual({
        imagePaths: ["A/2026/05/04/1_ocr.jpg", "A/2026/05/04/1_ctx.jpg"],
        readings: 1,
      });
      expect(await talliesOf(store, "A")).toEqual({ queued: 1, discarded: 1 });
      expect((await store.removeCamera(2, true)).readings).toBe(1);
      await store.removeMunicipality(municipality);
      await store.removeEndpoint(endpoint);
      await store.removeCertificate(certificate);
      expect(await store.listEndpoints()).toEqual([]);
      expect(await store.listCertificates()).toEqual([]);
      expect((await store.summarize()).readings).toBe(0);
    });

    test("does not remove a camera under a message that is being sent", async () => {
      await using under = await open();
      const { store } = under;
      await addCameras(store, "A");
      await store.enqueue([readingEntry(1, "A")], START);
      await store.claim(claimRequest(), after(1000));
      expect(await codeOf(store.removeCamera(1, true))).toBe("conflict");
      expect((await store.findCamera("A"))?.active).toBe(true);
    });

    test("never gives the number of a removed endpoint to another", async () => {
      await using under = await open();
      const { store } = under;
      const gone = await addEndpoint(store, "Old");
      await store.removeEndpoint(gone);
      expect(await addEndpoint(store, "New")).toBeGreaterThan(gone);
    });
  });

  describe(`${name}: what follows from a change`, () => {
    test("an operator's change ends the pauses from before it, which a sender that has not seen it cannot undo", async () => {
      const clock = standingClock();
      await using under = await open(clock);
      const { store } = under;
      const { endpoint, municipality } = await addCameras(store, "A");
      const certificate = await store.addCertificate(newCertificate("C", { municipalityId: municipality }));
      const other = await addEndpoint(store, "Other");
      for (const [endpointId, certificateId] of [
        [endpoint, 0],
        [endpoint, certificate],
        [other, 0],
      ] as const) {
        await store.saveRouteState(paused(endpointId, certificateId));
      }
      clock.set(after(1000));
      await store.saveEndpoint(newEndpoint("Police", { url: "https://elsewhere.example/" }));
      await store.saveRouteState(paused(endpoint, 0));
      const mended = async (): Promise<unknown> =>
        (await store.listRouteStates()).map((state) => [
          state.endpointId,
          state.certificateId,
          state.mendedAt?.getTime(),
        ]);
      const at = after(1000).getTime();
      // The certificate was assigned at START: that mended its municipality's endpoint then.
      expect(await mended()).toEqual([
        [endpoint, 0, at],
        [endpoint, certificate, at],
        [other, 0, undefined],
      ]);
      clock.set(after(2000));
      await store.assignCertificate(municipality, certificate);
      expect(await mended()).toEqual([
        [endpoint, 0, after(2000).getTime()],
        [endpoint, certificate, after(2000).getTime()],
        [other, 0, undefined],
      ]);
      clock.set(after(3000));
      await store.saveEndpoint(newEndpoint("Police", { url: "https://elsewhere.example/" }));
      expect(await mended()).toEqual([
        [endpoint, 0, after(2000).getTime()],
        [endpoint, certificate, after(2000).getTime()],
        [other, 0, undefined],
      ]);
    });

    test("dead messages come back by what they lacked: an endpoint, a certificate, another certificate", async () => {
      await using under = await open();
      const { store } = under;
      const municipality = await addMunicipality(store, "Girona");
      await addCamera(store, "A", municipality);
      await bury(store, 1, REASON.noEndpoint);
      await bury(store, 2, REASON.noCertificate);
      await bury(store, 3, REASON.incompleteCertificate);
      await bury(store, 4, REASON.noOcrFile);
      const endpointId = await addEndpoint(store, "Police");
      expect((await store.summarize()).byStatus.PENDING).toBe(0);
      await addCamera(store, "A", municipality, { endpointId });
      expect(await pendingPlates(store)).toEqual(["T1"]);
      const certificate = await store.addCertificate(newCertificate("C"));
      expect(await pendingPlates(store)).toEqual(["T1"]);
      await store.assignCertificate(municipality, certificate);
      expect(await pendingPlates(store)).toEqual(["T1", "T2", "T3"]);
      expect((await store.listMessages({ statuses: ["PENDING"] }, 10)).map(({ reason }) => reason)).toEqual([
        null,
        null,
        null,
      ]);
    });

    test("an endpoint goes with all that use it, or, when that fails in the middle, nothing changes", async () => {
      await using under = await open();
      const { store } = under;
      const { endpoint, municipality } = await addCameras(store, "A");
      await addMunicipality(store, "Other", await addEndpoint(store, "Other"));
      await addCamera(store, "B", municipality, { endpointId: endpoint });
      await store.enqueue([readingEntry(1, "A"), readingEntry(2, "B")], START);
      expect(await codeOf(store.removeEndpoint(endpoint))).toBe("conflict");
      const users = async () => [await store.listMunicipalities(), await store.listCameras()] as const;
      const before = await users();
      await under.refuseRemovalFrom("endpoints");
      expect(await codeOf(store.removeEndpoint(endpoint, true))).not.toBe("resolved");
      expect(await users()).toEqual(before);
      expect((await store.listEndpoints()).length).toBe(2);
    });

    test("what is taken from a camera and a municipality leaves everything else of them as it is", async () => {
      await using under = await open();
      const { store } = under;
      const { endpoint, municipality } = await addCameras(store, "A");
      const other = await addEndpoint(store, "Other");
      const certificate = await store.addCertificate(newCertificate("C", { municipalityId: municipality }));
      await addCamera(store, "B", municipality, { endpointId: endpoint, active: false });
      await addCamera(store, "C", municipality, { endpointId: other });
      await store.removeEndpoint(endpoint, true);
      expect((await store.listEndpoints()).map(({ id }) => id)).toEqual([other]);
      expect((await store.listCameras()).map(({ serial, endpointId, active }) => [serial, endpointId, active])).toEqual(
        [
          ["A", null, true],
          ["B", null, false],
          ["C", other, true],
        ],
      );
      expect(await store.listMunicipalities()).toMatchObject([{ endpointId: null, certificateId: certificate }]);
      await store.removeCertificate(certificate, true);
      expect(await store.listMunicipalities()).toMatchObject([{ name: "Girona", certificateId: null }]);
      expect(await store.listCertificates()).toEqual([]);
    });

    test("a certificate that cannot go, for whatever reason, is not taken from those that sign with it either", async () => {
      await using under = await open();
      const { store } = under;
      const { municipality } = await addCameras(store, "A");
      const other = await addMunicipality(store, "Other");
      const certificate = await store.addCertificate(newCertificate("C", { municipalityId: municipality }));
      const next = await store.addCertificate(newCertificate("next"));
      await store.assignCertificate(other, certificate);
      await store.stageRotation(municipality, next, START);
      await store.startRotation(municipality, START);
      const signers = async () => (await store.listMunicipalities()).map(({ certificateId }) => certificateId);
      // The rotation of the one municipality keeps it; the other signs with it.
      expect(await codeOf(store.removeCertificate(certificate, true))).toBe("conflict");
      expect(await signers()).toEqual([next, certificate]);
      await store.finishRotation(municipality, { kind: "done" });
      await under.refuseRemovalFrom("certificates");
      expect(await codeOf(store.removeCertificate(certificate, true))).not.toBe("resolved");
      expect(await signers()).toEqual([next, certificate]);
    });
  });
}

function paused(endpointId: number, certificateId: number): Parameters<Store["saveRouteState"]>[0] {
  return {
    endpointId,
    certificateId,
    pausedUntil: after(9000),
    pauseKind: "misconfigured",
    detail: "wrong address",
    pauses: 2,
    lastAcceptedAt: null,
    clockOffsetMs: null,
    latencyMs: null,
    mendedAt: null,
    triedAt: null,
  };
}

async function bury(store: Store, number: number, reason: string): Promise<void> {
  await store.enqueue([readingEntry(number, "A")], START);
  await settleAll(store, dead(reason));
}

async function pendingPlates(store: Store): Promise<string[]> {
  return (await store.listMessages({ statuses: ["PENDING"] }, 10)).map(({ plate }) => plate);
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => "resolved",
    (error: unknown) => (error instanceof AppError ? error.code : String(error)),
  );
}
