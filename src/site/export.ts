import type { Registered } from "../store/registry.ts";
import type { SiteCamera, SiteCertificate, SiteEndpoint, SiteMunicipality } from "./fields.ts";
import { SITE_VERSION } from "./file.ts";

/** A whole site file, every section and every field in it. */
export interface WholeSite {
  version: number;
  endpoints: readonly Required<SiteEndpoint>[];
  certificates: readonly SiteCertificate[];
  municipalities: readonly Required<SiteMunicipality>[];
  cameras: readonly Required<SiteCamera>[];
}

/** What is registered, as `apply` brings it about again. Certificates that sign for nobody are left out; keys stay where they are. */
export function buildSite(state: Registered): WholeSite {
  const endpointName = (id: number | null): string | null => state.endpoints.find((e) => e.id === id)?.name ?? null;
  const inUse = state.certificates.filter((c) => state.municipalities.some((m) => m.certificateId === c.id));
  // Names of certificates need not differ in the store; in the file they do.
  const certificateName = (id: number | null): string | null => {
    const one = inUse.find((c) => c.id === id);
    if (one === undefined) return null;
    const twins = inUse.filter((c) => c.name.toLowerCase() === one.name.toLowerCase());
    return twins.length > 1 ? `${one.name} (${one.id})` : one.name;
  };
  return {
    version: SITE_VERSION,
    endpoints: state.endpoints.map(({ id: _id, caPath, ...e }) => ({
      name: e.name,
      url: e.url,
      timeoutMs: e.timeoutMs,
      retryMax: e.retryMax,
      retryBackoffMs: e.retryBackoffMs,
      profile: e.profile,
      soapAction: e.soapAction,
      ca: caPath,
      timezone: e.timezone,
      wsdl: e.wsdl,
      tlsClientCertificate: e.tlsClientCertificate,
    })),
    certificates: inUse.map((c) => ({
      name: certificateName(c.id) ?? c.name,
      ...(c.clientCertPath !== null && c.keyPath !== null ? { cert: c.clientCertPath, key: c.keyPath } : {}),
      ...(c.fingerprint === null ? {} : { fingerprint: c.fingerprint }),
    })),
    municipalities: state.municipalities.map((m) => ({
      name: m.name,
      code: m.code,
      endpoint: endpointName(m.endpointId),
      certificate: certificateName(m.certificateId),
      active: m.active,
    })),
    cameras: state.cameras.map((c) => ({
      serial: c.serial,
      reader: c.readerCode,
      municipality: state.municipalities.find(({ id }) => id === c.municipalityId)?.name ?? "",
      description: c.description,
      endpoint: endpointName(c.endpointId),
      x: c.coordX,
      y: c.coordY,
      timezone: c.timezone,
      active: c.active,
    })),
  };
}
