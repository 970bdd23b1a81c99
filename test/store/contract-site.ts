import { describe, expect, test } from "bun:test";
import { AppError } from "../../src/errors.ts";
import { REASON } from "../../src/message.ts";
import type { NewCamera, NewCertificate, RegistryChange } from "../../src/store/registry.ts";
import type { Store } from "../../src/store/store.ts";
import {
  addCameras,
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
  });
}
