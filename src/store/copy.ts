import type { Registry } from "./registry.ts";

/** What a copy of the registry did: where each id of the source is in the target. */
export interface RegistryCopy {
  endpoints: ReadonlyMap<number, number>;
  certificates: ReadonlyMap<number, number>;
  municipalities: ReadonlyMap<number, number>;
  cameras: number;
}

/**
 * Adds everything that is registered to another store, by name; what is there already is changed. Done again it changes
 * nothing. Key and certificate files stay where they are: the paths are copied.
 */
export async function copyRegistry(source: Registry, target: Registry): Promise<RegistryCopy> {
  const endpoints = new Map<number, number>();
  for (const { id, ...endpoint } of await source.listEndpoints()) {
    await target.saveEndpoint(endpoint);
    endpoints.set(id, (await target.findEndpoint(endpoint.name))?.id ?? 0);
  }
  const certificates = new Map<number, number>();
  const present = await target.listCertificates();
  for (const { id, ...certificate } of await source.listCertificates()) {
    const same = present.find(
      (one) =>
        one.fingerprint === certificate.fingerprint &&
        one.name === certificate.name &&
        one.clientCertPath === certificate.clientCertPath,
    );
    // Whose it is follows from the municipality, below.
    certificates.set(id, same?.id ?? (await target.addCertificate({ ...certificate, municipalityId: null })));
  }
  const municipalities = new Map<number, number>();
  for (const { id, ...municipality } of await source.listMunicipalities()) {
    await target.saveMunicipality({
      ...municipality,
      endpointId: translate(municipality.endpointId, endpoints),
      certificateId: translate(municipality.certificateId, certificates),
    });
    municipalities.set(id, (await target.findMunicipality(municipality.name))?.id ?? 0);
  }
  let cameras = 0;
  for (const { id: _, lastReadingAt: _read, lastSentAt: _sent, ...camera } of await source.listCameras()) {
    await target.saveCamera({
      ...camera,
      municipalityId: municipalities.get(camera.municipalityId) ?? 0,
      endpointId: translate(camera.endpointId, endpoints),
    });
    cameras += 1;
  }
  return { endpoints, certificates, municipalities, cameras };
}

function translate(id: number | null, ids: ReadonlyMap<number, number>): number | null {
  return id === null ? null : (ids.get(id) ?? null);
}
