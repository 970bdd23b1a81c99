import { describe, expect, test } from "bun:test";
import { AppError } from "../../src/errors.ts";
import { REASON } from "../../src/message.ts";
import type { NewCamera, NewCertificate, RegistryChange } from "../../src/store/registry.ts";
import type { IntakeEntry, Store } from "../../src/store/store.ts";
import {
  addCameras,
  addMunicipality,
  after,
  dead,
  newCamera,
  newCertificate,
  newEndpoint,
  type OpenStore,
  readingEntry,
  START,
  settleAll,
  standingClock,
} from "../support/store-fixture.ts";

const NOTHING: RegistryChange = {
  endpoints: [],
  certificates: [],
  municipalities: [],
  cameras: [],
  removed: { cameras: [], municipalities: [], certificates: [], endpoints: [] },
};

function camera(
  serial: string,
  municipality: string,
  change: Partial<NewCamera> = {},
): RegistryChange["cameras"][number] {
  const { municipalityId: _m, endpointId: _e, ...value } = newCamera(serial, 0, change);
  return { ...value, municipality, endpoint: null };
}

function certificate(name: string): Omit<NewCertificate, "municipalityId"> {
  const { municipalityId: _m, ...value } = newCertificate(name);
  return value;
}

function heldEntry(serial: string): IntakeEntry {
  return {
    kind: "quarantine",
    quarantined: {
      ...{ kind: "unregistered", reason: "not registered", cameraSerial: serial, protocol: "tattile-xml", peer: "p" },
      ...{ receivedAt: START, sizeBytes: 1, path: `${serial}.bin` },
    },
  };
}

/** Everything registered, without what changes by itself. */
async function registered(store: Store): Promise<unknown> {
  return {
    endpoints: await store.listEndpoints(),
    certificates: await store.listCertificates(),
    municipalities: await store.listMunicipalities(),
    cameras: await store.listCameras(),
  };
}

const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => "resolved",
    (error: unknown) => (error instanceof AppError ? error.code : String(error)),
  );

export function describeSite(name: string, open: OpenStore): void {
  describe(`${name}: many changes at once`, () => {
    test("adds records that name each other, and assigns the certificate that came with them", async () => {
      await using under = await open();
      const { store } = under;
      await store.applyRegistry({
        ...NOTHING,
        endpoints: [newEndpoint("Police")],
        certificates: [certificate("C")],
        municipalities: [{ name: "Girona", code: "17", endpoint: "POLICE", certificate: { added: 0 }, active: true }],
        cameras: [camera("A", "girona"), { ...camera("B", "Girona"), endpoint: "police" }],
      });
      await under.reopen();
      const [endpoint] = await under.store.listEndpoints();
      const [added] = await under.store.listCertificates();
      const [municipality] = await under.store.listMunicipalities();
      expect(municipality).toMatchObject({ code: "17", endpointId: endpoint?.id, certificateId: added?.id });
      expect(added?.municipalityId).toBe(municipality?.id ?? 0);
      expect((await under.store.listCameras()).map((c) => [c.serial, c.municipalityId, c.endpointId])).toEqual([
        ["A", municipality?.id ?? 0, null],
        ["B", municipality?.id ?? 0, endpoint?.id ?? 0],
      ]);
    });

    test("changes what is there, removes what is named, and the same again changes nothing", async () => {
      await using under = await open();
      const { store } = under;
      const { municipality, endpoint } = await addCameras(store, "A", "B");
      const old = await store.addCertificate(newCertificate("old", { municipalityId: municipality }));
      const kept = await store.addCertificate(newCertificate("kept"));
      const [, b] = await store.listCameras();
      const change: RegistryChange = {
        ...NOTHING,
        municipalities: [{ name: "Girona", code: null, endpoint: null, certificate: { id: kept }, active: true }],
        cameras: [camera("A", "Girona", { readerCode: "new" })],
        removed: { cameras: [b?.id ?? 0], municipalities: [], certificates: [old], endpoints: [endpoint] },
      };
      await store.applyRegistry(change);
      const once = await registered(store);
      expect(once).toMatchObject({
        endpoints: [],
        certificates: [{ id: kept, municipalityId: municipality }],
        municipalities: [{ endpointId: null, certificateId: kept }],
        cameras: [{ serial: "A", readerCode: "new" }],
      });
      await store.applyRegistry(change);
      expect(await registered(store)).toEqual(once);
    });

    test.each<[string, Partial<RegistryChange>, string]>([
      ["a camera of an unknown municipality", { cameras: [camera("N", "nowhere")] }, "not-found"],
      [
        "a municipality with an unknown endpoint",
        { municipalities: [{ name: "N", code: null, endpoint: "nowhere", certificate: null, active: true }] },
        "not-found",
      ],
      [
        "a municipality with an unknown certificate",
        { municipalities: [{ name: "N", code: null, endpoint: null, certificate: { id: 99 }, active: true }] },
        "not-found",
      ],
      ["the removal of a used municipality", { removed: { ...NOTHING.removed, municipalities: [1] } }, "conflict"],
      ["the removal of a used endpoint", { removed: { ...NOTHING.removed, endpoints: [1] } }, "conflict"],
      ["the removal of a camera whose readings wait", { removed: { ...NOTHING.removed, cameras: [1] } }, "conflict"],
    ])("does nothing at all for %s", async (_what, wrong, code) => {
      await using under = await open();
      const { store } = under;
      await addCameras(store, "A", "B");
      await store.enqueue([readingEntry(1, "A")], START);
      const before = await registered(store);
      const good: RegistryChange = {
        ...NOTHING,
        endpoints: [newEndpoint("Police", { retryMax: 99 }), newEndpoint("Other")],
        certificates: [certificate("C")],
        municipalities: [{ name: "Vic", code: null, endpoint: "Other", certificate: { added: 0 }, active: true }],
        cameras: [camera("Z", "Vic")],
      };
      const both = {
        ...good,
        ...wrong,
        municipalities: [...good.municipalities, ...(wrong.municipalities ?? [])],
        cameras: [...good.cameras, ...(wrong.cameras ?? [])],
      };
      expect(await codeOf(store.applyRegistry(both))).toBe(code);
      expect(await registered(store)).toEqual(before);
      await under.reopen();
      expect(await registered(under.store)).toEqual(before);
    });

    test("ends pauses and brings back dead messages, as the single changes do", async () => {
      const clock = standingClock();
      await using under = await open(clock);
      const { store } = under;
      const { endpoint } = await addCameras(store, "A");
      await store.enqueue([readingEntry(1, "A")], START);
      await settleAll(store, dead(REASON.noCertificate));
      clock.set(after(1000));
      await store.applyRegistry({
        ...NOTHING,
        endpoints: [newEndpoint("Police", { url: "https://elsewhere.example/" })],
        certificates: [certificate("C")],
        municipalities: [{ name: "Girona", code: null, endpoint: "Police", certificate: { added: 0 }, active: true }],
      });
      expect((await store.summarize()).byStatus).toMatchObject({ DEAD: 0, PENDING: 1 });
      const mended = (await store.listRouteStates()).filter((state) => state.endpointId === endpoint);
      expect(mended.map(({ mendedAt }) => mendedAt)).toEqual([after(1000)]);
    });

    test("certificates change hands as they would one after the other", async () => {
      await using under = await open();
      const { store } = under;
      const [one, two, three] = ["One", "Two", "Three"] as const;
      const ids = { one: 0, two: 0, three: 0 };
      ids.one = await addMunicipality(store, one);
      ids.two = await addMunicipality(store, two);
      ids.three = await addMunicipality(store, three);
      const a = await store.addCertificate(newCertificate("A", { municipalityId: ids.one }));
      const b = await store.addCertificate(newCertificate("B", { municipalityId: ids.two }));
      const c = await store.addCertificate(newCertificate("C", { municipalityId: ids.three }));
      const signedWith = (name: string, id: number | null) => ({
        ...{ name, code: null, endpoint: null, active: true },
        certificate: id === null ? null : { id },
      });
      await store.applyRegistry({
        ...NOTHING,
        municipalities: [signedWith(one, b), signedWith(two, a), signedWith(three, null)],
      });
      expect((await store.listMunicipalities()).map(({ certificateId }) => certificateId)).toEqual([b, a, null]);
      expect((await store.listCertificates()).map(({ id, municipalityId }) => [id, municipalityId])).toEqual([
        [a, ids.two],
        [b, ids.one],
        [c, null],
      ]);
    });

    test("of two records of one name the later counts, and what is saved twice is there once", async () => {
      await using under = await open();
      const { store } = under;
      await store.applyRegistry({
        ...NOTHING,
        endpoints: [newEndpoint("Police", { retryMax: 1 }), newEndpoint("POLICE", { retryMax: 2 })],
        municipalities: [
          { name: "Òdena", code: "1", endpoint: null, certificate: null, active: true },
          { name: "ÒDENA", code: "2", endpoint: "police", certificate: null, active: true },
        ],
        cameras: [camera("A", "òdena", { readerCode: "old" }), camera("A", "Òdena", { readerCode: "new" })],
      });
      expect(await store.listEndpoints()).toMatchObject([{ name: "POLICE", retryMax: 2 }]);
      expect(await store.listMunicipalities()).toMatchObject([{ name: "ÒDENA", code: "2" }]);
      expect(await store.listCameras()).toMatchObject([{ serial: "A", readerCode: "new" }]);
    });

    test("a site of a thousand cameras asks the server no oftener than one of ten, whatever becomes of them", async () => {
      const counts: number[][] = [];
      for (const size of [10, 1000]) {
        await using under = await open(standingClock(), { counted: true });
        const { store } = under;
        const trips: number[] = [];
        const counted = async <T>(work: () => Promise<T>): Promise<T> => {
          const before = under.trips();
          const result = await work();
          trips.push(under.trips() - before);
          return result;
        };
        const serials = Array.from({ length: size }, (_, at) => `S${at}`);
        const town = (serial: string): string => `Town ${Number(serial.slice(1)) % (size / 5)}`;
        const towns = [...new Set(serials.map(town))];
        const site = (description: string, endpoint: string | null): RegistryChange => ({
          ...NOTHING,
          endpoints: [newEndpoint("Police")],
          municipalities: towns.map((name) => ({ name, code: null, endpoint, certificate: null, active: true })),
          cameras: serials.map((serial) => camera(serial, town(serial), { description })),
        });
        await store.enqueue(serials.slice(0, 5).map(heldEntry), START);
        await counted(() => store.applyRegistry(site("first", "Police")));
        // What was held for these cameras can be taken in now.
        expect((await store.listAdoptable(10)).length).toBe(5);
        const added = await store.listCameras();
        expect(added.map(({ serial }) => serial)).toEqual(serials);
        expect(new Set(added.map(({ municipalityId }) => municipalityId)).size).toBe(towns.length);
        expect(await counted(() => store.findWaiting(added.map(({ id }) => id)))).toEqual(new Set());
        await store.enqueue(
          serials.map((serial, at) => readingEntry(at, serial)),
          START,
        );
        await settleAll(store, dead(REASON.noCertificate));
        for (let left = 1; left > 0; ) left = await settleAll(store, dead(REASON.noCertificate));
        expect((await store.summarize()).byStatus.DEAD).toBe(size);
        expect(await counted(() => store.findWaiting(added.map(({ id }) => id)))).toEqual(
          new Set(added.map(({ id }) => id)),
        );
        // The same again changes nothing, and brings nothing back.
        await counted(() => store.applyRegistry(site("first", "Police")));
        expect((await store.summarize()).byStatus.DEAD).toBe(size);
        const signed = site("second", "Police");
        await counted(() =>
          store.applyRegistry({
            ...signed,
            certificates: [certificate("C")],
            municipalities: signed.municipalities.map((one) => ({ ...one, certificate: { added: 0 } })),
          }),
        );
        expect((await store.summarize()).byStatus).toMatchObject({ DEAD: 0, PENDING: size });
        expect((await store.listCameras()).map(({ id, description }) => [id, description])).toEqual(
          added.map(({ id }) => [id, "second"]),
        );
        const removal = {
          ...NOTHING,
          removed: {
            cameras: added.map(({ id }) => id),
            municipalities: (await store.listMunicipalities()).map(({ id }) => id),
            certificates: (await store.listCertificates()).map(({ id }) => id),
            endpoints: (await store.listEndpoints()).map(({ id }) => id),
          },
        };
        expect(await counted(() => codeOf(store.applyRegistry(removal)))).toBe("conflict");
        expect((await store.listCameras()).length).toBe(size);
        await store.discardMessages({});
        await counted(() => store.applyRegistry(removal));
        expect(await registered(store)).toEqual({ endpoints: [], certificates: [], municipalities: [], cameras: [] });
        counts.push(trips);
      }
      const [few = [], many = []] = counts;
      expect(many.every((trips) => trips > 0)).toBe(name === "PostgreSQL");
      // A connection that is opened meanwhile is answered too.
      for (const [at, trips] of many.entries()) expect([at, trips <= (few[at] ?? 0) + 5]).toEqual([at, true]);
      expect(Math.max(...many)).toBeLessThan(50);
    });
  });
}
